"""Sessions: providers are what was asked for or an error, never a silent other one (R62, R63, R82)."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import workers
from schemas.errors import ConfigurationError, ManifestError
from tests.runners import graphs
from workers.onnx.providers import EngineKey, Profile, choose, compare, engine_folder, tensorrt_options
from workers.onnx.session import SessionOptions, Tensor, open_session

CPU = ["AzureExecutionProvider", "CPUExecutionProvider"]
GPU = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]
KEY = EngineKey("ab" * 32, "float16", Profile(1, 16, 32), "onnxruntime 1.31")


@pytest.mark.parametrize(
    ("asked", "available", "chosen"),
    [
        (["auto"], CPU, ("cpu",)),
        (["auto"], GPU, ("tensorrt", "cuda", "cpu")),
        (["cuda", "cpu"], GPU, ("cuda", "cpu")),
        (["cpu"], GPU, ("cpu",)),
    ],
)
def test_providers_are_tried_in_the_order_asked_for(
    asked: list[str], available: list[str], chosen: tuple[str, ...]
) -> None:
    assert choose(asked, available) == chosen


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (["cuda"], r"no cuda provider .*install nafuda\[cuda\]"),
        (["tensorrt", "cpu"], "no tensorrt provider"),
        (["gpu"], "unknown execution provider 'gpu'"),
        (["auto", "cpu"], "auto alone"),
        ([], "no execution provider is named"),
    ],
)
def test_a_provider_that_is_not_there_is_an_error(asked: list[str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        choose(asked, CPU)


def test_a_session_that_fell_back_to_the_cpu_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="asked for cuda, but ONNX Runtime runs it on cpu"):
        compare(["cuda"], ["cuda"], ["CPUExecutionProvider"], "model.onnx")


def test_auto_says_in_the_log_what_it_chose_and_what_did_not_start(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    assert compare(["auto"], ["cuda", "cpu"], ["CPUExecutionProvider"], "model.onnx") == ("cpu",)
    assert "model.onnx runs on cpu (chosen by auto)" in caplog.text
    assert "cuda is installed but did not start" in caplog.text


def test_a_session_tells_what_its_graph_wants_and_runs_it(tmp_path: Path) -> None:
    path = graphs.table_detector(tmp_path / "model.onnx", np.ones((5, 7)), names="{0: 'face'}")
    session = open_session(path, SessionOptions(providers=["cpu"]))
    assert session.inputs == (Tensor("images", (None, 3, 64, 64), "float32"),)
    assert session.outputs == (Tensor("output0", (None, 5, 7), "float32"),)
    assert session.metadata["names"] == "{0: 'face'}"
    assert session.providers == ("cpu",)
    assert session.run({"images": np.zeros((2, 3, 64, 64), np.float32)})["output0"].shape == (2, 5, 7)


@pytest.mark.parametrize("content", [None, b"", b"not a graph"])
def test_a_file_that_is_no_graph_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "broken.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ManifestError, match=r"broken\.onnx: ONNX Runtime cannot load it"):
        open_session(path, SessionOptions(providers=["cpu"]))


def test_without_onnx_runtime_the_extras_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ConfigurationError, match=r"nafuda\[cpu\], nafuda\[cuda\] and nafuda\[tensorrt\]"):
        open_session(tmp_path / "model.onnx", SessionOptions())


def test_importing_the_runners_does_not_import_the_runtime() -> None:
    code = "import sys, workers.runners, workers.model_check; sys.exit('onnxruntime' in sys.modules)"
    root = Path(workers.__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


@pytest.mark.parametrize(
    "other",
    [
        replace(KEY, sha256="cd" * 32),
        replace(KEY, precision="float32"),
        replace(KEY, profile=Profile(1, 16, 64)),
        replace(KEY, versions="onnxruntime 1.32"),
    ],
)
def test_an_engine_is_kept_apart_by_everything_it_depends_on(tmp_path: Path, other: EngineKey) -> None:
    assert engine_folder(tmp_path, KEY) == engine_folder(tmp_path, KEY)
    assert engine_folder(tmp_path, KEY) != engine_folder(tmp_path, other)


def test_tensorrt_gets_its_profile_spelled_out(tmp_path: Path) -> None:
    options = tensorrt_options(KEY, "image", (448, 448, 3), tmp_path)
    assert options["trt_profile_min_shapes"] == "image:1x448x448x3"
    assert options["trt_profile_opt_shapes"] == "image:16x448x448x3"
    assert options["trt_profile_max_shapes"] == "image:32x448x448x3"
    assert options["trt_fp16_enable"] == "1"
    assert options["trt_engine_cache_path"] == str(engine_folder(tmp_path, KEY))
