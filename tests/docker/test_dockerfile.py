"""The Dockerfile has an image for each dependency set, of nothing but what is locked for it."""  # R76, R82

import re
import tomllib
from pathlib import Path

import pytest

from infra.settings import read_settings

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker" / "Dockerfile").read_text("utf-8")
SETS = {"web": "web", "cpu": "run", "cuda": "cuda", "tensorrt": "tensorrt"}  # target → its lock
GPU = ("cuda", "tensorrt")


def stages() -> dict[str, str]:
    """Name of each stage → what it is made from and with, continued lines joined."""
    parts = re.split(r"(?m)^FROM ", TEXT.replace("\\\n", " "))[1:]
    return {re.split(r"\sAS\s", part.splitlines()[0])[1]: part for part in parts}


def locked(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
    return dict(re.findall(r"(?m)^([a-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)", text))


def environment(target: str) -> dict[str, str]:
    return dict(re.findall(r"(\w+)=(\S+)", " ".join(re.findall(r"(?m)^ENV (.*)$", stages()[target]))))


@pytest.mark.parametrize("target", SETS)
def test_a_target_installs_its_own_lock_by_hashes_and_our_wheel_without_an_index(target: str) -> None:
    built = stages()[f"build-{target}"]
    installs = [line for line in built.split("&&") for line in re.findall(r"pip --python .*", line)]
    assert len(installs) == 2
    assert installs[0].split()[3:] == ["install", "--require-hashes", "-r", f"/requirements/{SETS[target]}.txt"]
    assert "--no-deps --no-index /wheel/" in installs[1]
    assert f"requirements/{SETS[target]}.txt" in stages()["build"]


@pytest.mark.parametrize("target", SETS)
def test_a_target_is_the_common_base_and_what_was_built_for_it(target: str) -> None:
    made = stages()[target].splitlines()
    assert made[0] == f"base AS {target}"
    copied = [line for line in made if line.startswith("COPY")]
    assert copied == [f"COPY --from=build-{target} /opt/nafuda /opt/nafuda"]
    assert not [line for line in made if line.startswith(("USER", "RUN", "ENTRYPOINT"))]
    base = stages()["base"]
    assert "USER 10001:10001" in base and "HEALTHCHECK" in base and "STOPSIGNAL SIGTERM" in base


def test_all_images_have_the_same_versions_of_what_they_share() -> None:
    run = locked("run")
    for name in ("web", *GPU):
        assert {each: run[each] for each in locked(name) if each in run} == {
            each: version for each, version in locked(name).items() if each in run
        }


@pytest.mark.parametrize("name", GPU)
def test_an_image_for_gpus_has_one_onnx_runtime_and_the_libraries_it_was_built_for(name: str) -> None:
    """Both distributions write into one folder: whichever came last would win."""
    found = locked(name)
    assert "onnxruntime-gpu" in found and "onnxruntime" not in found
    assert found["onnxruntime-gpu"] == locked("run")["onnxruntime"]
    assert {"nvidia-cudnn-cu13", "nvidia-cublas", "nvidia-cuda-runtime", "nvidia-cufft"} <= set(found)
    assert ("tensorrt-cu13-libs" in found) == (name == "tensorrt")
    assert not {"onnxruntime-gpu", "tensorrt"} & set(locked("web"))


@pytest.mark.parametrize("name", GPU)
def test_what_is_locked_for_gpus_is_what_the_extra_asks_for(name: str) -> None:
    """Less PyCUDA, which the image could not build; see requirements/tensorrt.in."""
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"][name]
    said = "\n".join((ROOT / "requirements" / f"{each}.in").read_text("utf-8") for each in GPU)
    asked = {re.sub(r"\[.*\]", "", line) for line in said.splitlines() if line and line[0] not in "#-"}
    assert {each for each in extra if not each.startswith("pycuda")} <= asked


@pytest.mark.parametrize(
    ("target", "providers"), [("cuda", ("cuda", "cpu")), ("tensorrt", ("tensorrt", "cuda", "cpu"))]
)
def test_an_image_for_gpus_asks_for_them_by_name_and_finds_their_libraries(
    target: str, providers: tuple[str, ...]
) -> None:
    given = environment(target)
    assert read_settings({"NAFUDA_PROVIDERS": given["NAFUDA_PROVIDERS"]}).providers == providers
    assert given["NVIDIA_DRIVER_CAPABILITIES"] == "compute,utility"
    linked = stages()[f"build-{target}"]
    assert f"install -d {given['LD_LIBRARY_PATH']}" in linked
    assert "libcudart.so.*" in linked and ("libnvinfer.so.*" in linked) == (target == "tensorrt")


def test_what_is_copied_in_is_there_and_let_in() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    for line in re.findall(r"(?m)^COPY (?!--from)(.*)$", TEXT):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists()
            assert source in allowed or (source.startswith("requirements/") and source.endswith(".txt"))
