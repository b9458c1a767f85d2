#!/usr/bin/env bash
# Builds the images cpu and web with buildah, over a base made here by debootstrap, and tries them as an engine would run
# them: as their own user, with nothing to write to but /data and /tmp. Needs root, buildah and debootstrap; no Docker.
set -euo pipefail
cd "$(dirname "$0")/.."

cache=${NAFUDA_IMAGES_CACHE:-$HOME/.cache/nafuda-images}
port=${PORT:-8470}
base=localhost/nafuda-base
say() { printf '\n== %s\n' "$*"; }
fail() { echo "images: $*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || fail "run this as root: debootstrap and buildah's chroot isolation need it"
for program in buildah debootstrap; do
  command -v $program >/dev/null || fail "$program is missing: apt-get install buildah debootstrap"
done

make_base() {
  mkdir -p "$cache"
  if [ ! -f "$cache/base.tar" ]; then
    say "a base of Debian, once"
    rm -rf "$cache/base"
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$cache/base" >"$cache/base.log" \
      || fail "debootstrap: $(tail -n 3 "$cache/base.log")"
    rm -f "$cache"/base/var/cache/apt/archives/*.deb
    tar -C "$cache/base" -cf "$cache/base.part" . && mv "$cache/base.part" "$cache/base.tar"
    rm -rf "$cache/base"
  fi
  if ! buildah inspect --type image $base >/dev/null 2>&1; then
    made=$(buildah from scratch)
    buildah add -q "$made" "$cache/base.tar" / >/dev/null
    buildah commit -q "$made" $base >/dev/null
    buildah rm "$made" >/dev/null
  fi
}

build() {  # certificates and pip's settings are this machine's, for the time of the build; no layer keeps them
  say "building $1"
  local settings=(-v /etc/ssl/certs:/etc/ssl/certs:ro)
  [ ! -f /etc/pip.conf ] || settings+=(-v /etc/pip.conf:/etc/pip.conf:ro)
  buildah bud -q --isolation chroot --format docker --layers --target "$1" --build-arg BASE=$base "${settings[@]}" \
    -t "localhost/nafuda:$1" -f docker/Dockerfile .
}

work=
containers=()
leave() {
  [ -z "${running:-}" ] || kill -TERM "$running" 2>/dev/null || true
  [ -z "${serving:-}" ] || kill -TERM "$serving" 2>/dev/null || true
  for _ in 1 2 3 4 5 6 7 8 9 10; do [ -z "$(jobs -rp)" ] && break; sleep 1; done
  jobs -rp | xargs -r kill -KILL
  [ ${#containers[@]} = 0 ] || buildah rm "${containers[@]}" >/dev/null
  [ -z "$work" ] || rm -rf "$work"
}
trap leave EXIT

inside() {  # CONTAINER COMMAND…: as the image's user, over the common /data and a /tmp of its own
  local container=$1
  shift
  mkdir -p "$work/tmp-$container" && chmod 1777 "$work/tmp-$container"
  buildah run --isolation chroot --cap-drop all -v "$work/data:/data" -v "$work/tmp-$container:/tmp" \
    -v "$PWD/docs/images:/pictures:ro" "$container" -- "$@"
}

until_true() {  # SECONDS WHAT COMMAND…
  local limit=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $limit ] || { tail -n 20 "$work"/*.log >&2; fail "$what did not happen"; }
    sleep 1
  done
}

untouched() {  # nobody wrote into a container's root. The folder /run itself does not count: buildah mounts a file in it
  local root found
  root=$(buildah mount "$1")
  found=$(find "$root" -xdev \( -path "$root/data" -o -path "$root/tmp" -o -path "$root/proc" -o -path "$root/sys" \
    -o -path "$root/dev" \) -prune -o -newer "$work/stamp" \( -type f -o -type d \) ! -path "$root/run" -print)
  buildah umount "$1" >/dev/null
  [ -z "$found" ] || fail "written outside /data and /tmp: $found"
}

try() {
  work=$(mktemp -d)
  chmod 0755 "$work"
  install -d -m 0700 -o 10001 -g 10001 "$work/data"
  local all ask web pages
  all=$(buildah from localhost/nafuda:cpu)
  ask=$(buildah from localhost/nafuda:cpu)
  web=$(buildah from localhost/nafuda:web)
  containers=("$all" "$ask" "$web")
  for each in "${containers[@]}"; do inside "$each" true; done  # makes what it mounts upon
  sleep 1
  touch "$work/stamp"

  say "cpu: nafuda run, one image through it, the doctor"
  inside "$all" id
  inside "$all" env "NAFUDA_WEB_PORT=$port" nafuda run --no-samples >"$work/run.log" 2>&1 &
  local engine=$!
  until_true 90 "nafuda run" grep -q "sign in once" "$work/run.log"
  running=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["pid"])' "$work/data/instance.json")
  inside "$ask" nafuda ingest /pictures/image.png --wait --json
  until_true 60 "nafuda doctor" inside "$ask" nafuda doctor
  inside "$ask" nafuda doctor
  pages=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["address"].rpartition(":")[2])' "$work/data/instance.json")
  inside "$all" env "NAFUDA_WEB_PORT=$pages" python3 /opt/health.py

  say "web: the pages without ONNX Runtime, on the same database"
  ! inside "$web" /opt/nafuda/bin/python -c 'import onnxruntime' 2>/dev/null || fail "web has ONNX Runtime"
  inside "$web" sh -c "echo \$\$ >/tmp/pid; exec env NAFUDA_WEB_PORT=$((port + 60)) nafuda web" >"$work/web.log" 2>&1 &
  local server=$!
  until_true 30 "nafuda web" inside "$web" env "NAFUDA_WEB_PORT=$((port + 60))" python3 /opt/health.py
  serving=$(cat "$work/tmp-$web/pid")
  python3 -c 'import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode())' \
    "http://127.0.0.1:$((port + 60))/ready"

  say "SIGTERM ends both with exit code 0"
  kill -TERM "$serving"; serving=; wait $server
  kill -TERM "$running"; running=; wait $engine
  for each in "${containers[@]}"; do untouched "$each"; done
  say "well: $(buildah images --format '{{.Name}}:{{.Tag}} {{.Size}}' --filter reference=localhost/nafuda | tr '\n' ' ')"
}

make_base
build web
build cpu
try
