"""Layers and functions of the user's own: given by name, and never run by a file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeship_converters.errors import SourceError
from edgeship_converters.sources import open_source
from tests.converters.served import assert_served

ROWS = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
OWN_MODULE = "own_layers_of_a_user"
OWN_CODE = """
import keras

class Scale(keras.layers.Layer):
    def call(self, x):
        return x * 3.0

@keras.saving.register_keras_serializable("own")
class Shift(keras.layers.Layer):
    def call(self, x):
        return x + 5.0

def square(x):
    return x * x

ALL = {"Scale": Scale, "square": square}
NUMBER = 3
"""


@pytest.fixture(scope="module")
def own_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a module of the user's, and c.keras made with it."""
    folder = tmp_path_factory.mktemp("own")
    (folder / f"{OWN_MODULE}.py").write_text(OWN_CODE)
    script = (
        f"import keras, {OWN_MODULE} as m\n"
        "model = keras.Sequential([keras.Input((3,)), m.Scale(), m.Shift(), "
        "keras.layers.Activation(m.square)])\n"
        "model.compile('adam', loss=m.square, metrics=[m.square])\n"
        "model.save('c.keras')"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=folder)
    return folder


@pytest.fixture
def own_code(own_model: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the user's module, which lies in the current directory, not yet imported."""
    monkeypatch.chdir(own_model)
    monkeypatch.delitem(sys.modules, OWN_MODULE, raising=False)
    return OWN_MODULE


def test_custom_objects_are_taken_from_the_modules_named(own_code: str, tmp_path: Path) -> None:
    given = (f"{own_code}:ALL", f"{own_code}:Shift")
    source = open_source("c.keras", custom_objects=given)
    got = assert_served(source, {"x": ROWS}, tmp_path / "out")
    np.testing.assert_allclose(next(iter(got.values())), (ROWS * 3 + 5) ** 2, rtol=1e-5)


def test_a_custom_object_that_was_not_given_is_named_with_the_flag(own_code: str) -> None:
    with pytest.raises(SourceError, match=rf"'Scale'.*--custom-objects {own_code}:Scale"):
        open_source("c.keras", custom_objects=(f"{own_code}:Shift",))
    with pytest.raises(SourceError, match=r"'square'.*--custom-objects"):
        open_source("c.keras", custom_objects=(f"{own_code}:Shift", f"{own_code}:Scale"))


def test_a_file_cannot_make_its_module_run(own_code: str) -> None:
    with pytest.raises(SourceError):
        open_source("c.keras")
    assert own_code not in sys.modules


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{module}", "takes module:attr"),
        ("../{module}:Scale", "takes module:attr"),
        ("{module}.py:Scale", "not its file's"),
        ("no_such_module_here:Scale", "cannot be imported.*ModuleNotFoundError"),
        ("{module}:Nothing", "has no 'Nothing'"),
        ("{module}:NUMBER", "is a int, expected a class"),
    ],
)
def test_custom_objects_that_cannot_be_used_are_said(
    given: str, message: str, own_code: str
) -> None:
    with pytest.raises(SourceError, match=message):
        open_source("c.keras", custom_objects=(given.format(module=own_code),))


def test_a_module_that_ends_the_program_is_refused(
    own_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ends_at_once.py").write_text("import sys\nsys.exit(3)\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SourceError, match=r"'ends_at_once' cannot be imported \(SystemExit: 3\)"):
        open_source(own_model / "c.keras", custom_objects=["ends_at_once:Scale"])
