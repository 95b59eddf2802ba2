"""Makes the hostile bundles of this folder anew: `python -m tests.hostile.make`.

Each case is `plain.edgeship`, a good bundle, with one thing made wrong. The manifest's own hash is
made right again wherever the case is not about it, so that the fault meant is the one met.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from edgeship_runtime.bundle.manifest import encode
from edgeship_runtime.bundle.reader import MANIFEST, MANIFEST_HASH, manifest_hash_line
from tests import tiny
from tests.hostile.packing import LINK, PLAIN_FILE, Entry, pack, patch, rename

HERE = Path(__file__).parent
BUNDLES = HERE / "bundles"
PLAIN = HERE / "plain.edgeship"
MODEL = "variants/onnx-float32.onnx"
GOLDEN = "goldens/output-0.npy"
_MIB = 1 << 20

Facts = dict[str, Any]
Files = dict[str, bytes]


def plain() -> Files:
    """The files of the good bundle, in the order in which they are written."""
    manifest, files = tiny.manifest_and_files()
    manifest = msgspec.structs.replace(manifest, tools={"onnx": "1.0"})
    return sealed(encode(manifest), files)


def sealed(manifest: bytes, files: Files) -> Files:
    """`files` with a manifest and its right hash."""
    seal = manifest_hash_line(hashlib.sha256(manifest).hexdigest())
    rest = {path: files[path] for path in sorted(files) if path not in (MANIFEST, MANIFEST_HASH)}
    return {MANIFEST: manifest, MANIFEST_HASH: seal, **rest}


def zipped(files: Files, *more: Entry, deflated: str = "") -> bytes:
    """The files, and entries that the manifest does not know, as a zip; one may be deflated."""
    entries = [
        Entry(path, data, method=zipfile.ZIP_DEFLATED if path == deflated else zipfile.ZIP_STORED)
        for path, data in files.items()
    ]
    return pack([*entries, *more])


def with_facts(change: Callable[[Facts], object]) -> Callable[[], bytes]:
    """A bundle whose manifest was changed and sealed again."""

    def make() -> bytes:
        files = plain()
        facts = json.loads(files[MANIFEST])
        change(facts)
        return zipped(sealed(json.dumps(facts).encode(), files))

    return make


def with_manifest(change: Callable[[bytes], bytes]) -> Callable[[], bytes]:
    """A bundle whose manifest's bytes were changed and sealed again."""
    return lambda: zipped(sealed(change(plain()[MANIFEST]), plain()))


def with_number(literal: bytes) -> Callable[[], bytes]:
    """A bundle whose manifest holds `literal` where a measured number belongs."""
    return with_manifest(lambda data: data.replace(b'"max_abs": 1e-7', b'"max_abs": ' + literal))


def with_entry(name: str, mode: int = PLAIN_FILE) -> Callable[[], bytes]:
    """A bundle with one entry more than its manifest names."""
    return lambda: zipped(plain(), Entry(name, b"x", mode))


def with_headers(name: str, **fields: int) -> Callable[[], bytes]:
    """A bundle with an entry whose zip headers were changed."""
    return lambda: patch(zipped(plain()), name, **fields)


def naming(path: str) -> Callable[[], bytes]:
    """A bundle whose manifest gives `path` to one of its files."""
    return with_facts(lambda facts: facts["files"][0].update(path=path))


def quantized(name: str = "x", scale: float = 0.5, zero_point: int = 0) -> Callable[[], bytes]:
    """A bundle whose variant claims a quantized input."""
    tensor = {"dtype": "int8", "scale": scale, "zero_point": zero_point}
    return with_facts(lambda facts: variant(facts)["quantization"]["inputs"].update({name: tensor}))


def worded(side: str, name: str, words: object) -> Callable[[], bytes]:
    """A bundle of text in and out whose variant claims words for an input or output."""

    def change(facts: Facts) -> None:
        for spec in (facts["inputs"][0], facts["outputs"][0]):
            spec.update(dtype="string")
        variant(facts).update(words={side: {name: words}})

    return with_facts(change)


def variant(facts: Facts) -> Facts:
    """The only variant of a manifest."""
    found: Facts = facts["variants"][0]
    return found


def holding(data: bytes) -> Files:
    """A bundle whose variant is `data`, rightly named by the manifest."""
    files = {**plain(), MODEL: data}
    facts = json.loads(files[MANIFEST])
    digest = hashlib.sha256(data).hexdigest()
    for place in (variant(facts), *(file for file in facts["files"] if file["path"] == MODEL)):
        place.update(sha256=digest, bytes=len(data))
    return sealed(json.dumps(facts).encode(), files)


def bomb() -> bytes:
    """Eighty million zeros, honestly declared, in eighty thousand bytes."""
    return zipped(holding(bytes(80 * _MIB)), deflated=MODEL)


def lying_bomb() -> bytes:
    """The same zeros, of which zip and manifest declare ten."""
    files = {**holding(bytes(10)), MODEL: bytes(80 * _MIB)}
    return patch(zipped(files, deflated=MODEL), MODEL, bytes=10)


def linked() -> bytes:
    """A bundle whose variant is a symbolic link."""
    files = holding(b"/etc/passwd")
    target = files.pop(MODEL)
    return zipped(files, Entry(MODEL, target, LINK))


def without(path: str) -> Files:
    """The good bundle's files but for one."""
    return {name: data for name, data in plain().items() if name != path}


def truncated(files: Files, path: str) -> Files:
    """The files, one of them cut in half."""
    return {**files, path: files[path][: len(files[path]) // 2]}


def flipped(files: Files, path: str) -> Files:
    """The files, one bit of one of them flipped."""
    data = bytearray(files[path])
    data[-1] ^= 1
    return {**files, path: bytes(data)}


def nested(data: bytes) -> bytes:
    """A manifest with a field of five thousand lists inside of each other."""
    return data.replace(b"{", b'{"deep":' + b"[" * 5000 + b"]" * 5000 + b",", 1)


# A name that ends in .edgeship is a zip, any other a folder; cases.toml says what each must meet.
CASES: dict[str, Callable[[], bytes | Files]] = {
    "path-parent.edgeship": with_entry("../x"),
    "path-parent-inside.edgeship": with_entry("goldens/../../x"),
    "path-absolute.edgeship": with_entry("/tmp/x"),
    "path-backslash.edgeship": with_entry("..\\x"),
    "path-drive.edgeship": with_entry("C:/x"),
    "path-folder.edgeship": with_entry("../x/"),
    "path-hidden.edgeship": with_entry(".hidden"),
    "path-not-ascii.edgeship": with_entry("goldens/é.npy"),
    "path-escape.edgeship": with_entry("goldens/\x1b[31m"),
    "path-long.edgeship": with_entry("/".join(["folder"] * 80)),
    "manifest-path-parent.edgeship": naming("../x"),
    "manifest-path-absolute.edgeship": naming("/tmp/x"),
    "manifest-path-backslash.edgeship": naming("..\\x"),
    "manifest-path-drive.edgeship": naming("C:/x"),
    "link.edgeship": linked,
    "fifo.edgeship": with_entry("goldens/pipe", 0o010644),
    "duplicate.edgeship": with_entry(GOLDEN),
    "duplicate-case.edgeship": with_entry(GOLDEN.replace("output", "Output")),
    "file-and-folder.edgeship": with_entry(GOLDEN + "/x"),
    "manifest-duplicate.edgeship": with_facts(
        lambda facts: facts["files"].append(facts["files"][0])
    ),
    "bomb-declared.edgeship": with_headers(MODEL, bytes=3 << 30),
    "bomb.edgeship": bomb,
    "bomb-lying.edgeship": lying_bomb,
    "stored-short.edgeship": with_headers(MODEL, bytes=10),
    "encrypted.edgeship": with_headers(MODEL, flags=0x1),
    "patched-data.edgeship": with_headers(MODEL, flags=0x20),
    "method-lzma.edgeship": with_headers(MODEL, method=zipfile.ZIP_LZMA),
    "method-unknown.edgeship": with_headers(MODEL, method=77),
    "not-deflate.edgeship": with_headers(MODEL, method=zipfile.ZIP_DEFLATED),
    "name-not-utf8.edgeship": lambda: rename(
        patch(zipped(plain()), GOLDEN, flags=0x800), GOLDEN, b"\xff" * len(GOLDEN)
    ),
    "truncated.edgeship": lambda: zipped(plain())[:-1500],
    "empty.edgeship": lambda: pack([]),
    "zero-bytes.edgeship": lambda: b"",
    "not-a-zip.edgeship": lambda: b"\x89PNG\r\n\x1a\n" + bytes(64),
    "wrong-hash.edgeship": lambda: zipped(flipped(plain(), MODEL)),
    "extra-file.edgeship": with_entry("goldens/extra.npy"),
    "no-manifest.edgeship": lambda: zipped(without(MANIFEST)),
    "wrong-hash": lambda: flipped(plain(), MODEL),
    "truncated-file": lambda: truncated(plain(), MODEL),
    "truncated-manifest": lambda: truncated(plain(), MANIFEST),
    "missing-file": lambda: without(GOLDEN),
    "extra-file": lambda: {**plain(), "notes.txt": b"x"},
    "no-seal": lambda: without(MANIFEST_HASH),
    "wrong-seal": lambda: {**plain(), MANIFEST_HASH: manifest_hash_line("0" * 64)},
    "seal-other-name": lambda: {
        **plain(),
        MANIFEST_HASH: plain()[MANIFEST_HASH].replace(b"manifest.json", b"manifest.jsom"),
    },
    "schema-unknown.edgeship": with_facts(lambda facts: facts.update(schema_version=999)),
    "schema-missing.edgeship": with_facts(lambda facts: facts.pop("schema_version")),
    "nan.edgeship": with_number(b"NaN"),
    "infinity.edgeship": with_number(b"Infinity"),
    "number-too-large.edgeship": with_number(b"1e999"),
    "not-json.edgeship": with_manifest(lambda data: b"edgeship: 1\n"),
    "not-an-object.edgeship": with_manifest(lambda data: b"[1]"),
    "not-utf8.edgeship": with_manifest(lambda data: data.replace(b"tiny", b"t\xff\xfey")),
    "nested.edgeship": with_manifest(nested),
    "unknown-field.edgeship": with_facts(lambda facts: facts.update(command="rm -rf /")),
    "unknown-field-lines.edgeship": with_facts(lambda facts: facts.update({"a\n\x1b[31mb": 1})),
    "negative-size.edgeship": with_facts(lambda facts: facts["files"][0].update(bytes=-1)),
    "malformed-hash.edgeship": with_facts(lambda facts: facts["files"][0].update(sha256="0x12")),
    "variant-hash.edgeship": with_facts(lambda facts: variant(facts).update(sha256="0" * 64)),
    "variant-size.edgeship": with_facts(lambda facts: variant(facts).update(bytes=1)),
    "variant-name.edgeship": with_facts(lambda facts: variant(facts).update(name="best")),
    "variant-name-lines.edgeship": with_facts(
        lambda facts: variant(facts).update(name="onnx-a\nb", precision="a\nb")
    ),
    "variant-file.edgeship": with_facts(lambda facts: variant(facts).update(path="variants/none")),
    "no-variants.edgeship": with_facts(lambda facts: facts.update(variants=[])),
    "scale-zero.edgeship": quantized(scale=0.0),
    "scale-tiny.edgeship": quantized(scale=1e-300),
    "scale-huge.edgeship": quantized(scale=1e300),
    "zero-point.edgeship": quantized(zero_point=10**30),
    "quantized-unknown.edgeship": quantized(name="y"),
    "words-input-unknown.edgeship": worded("inputs", "y", ["a"]),
    "words-output-unknown.edgeship": worded("outputs", "x", ["a"]),
    "words-not-text.edgeship": worded("outputs", "probabilities", ["a"]),
    "words-none.edgeship": worded("inputs", "x", []),
    "words-twice.edgeship": worded("outputs", "label", ["a", "b", "a"]),
    "words-numbers.edgeship": worded("outputs", "label", [1, 2]),
    "words-elsewhere.edgeship": worded("files", "x", ["a"]),
    "tolerance-negative.edgeship": with_facts(
        lambda facts: variant(facts)["evidence"]["errors"]["probabilities"].update(tolerance=-1.0)
    ),
    "goldens-none.edgeship": with_facts(lambda facts: facts["goldens"].update(rows=0)),
    "goldens-unlike.edgeship": with_facts(lambda facts: facts["goldens"]["outputs"].pop("label")),
    "goldens-unnamed.edgeship": with_facts(
        lambda facts: facts["goldens"]["inputs"].update(x="goldens/input-9.npy")
    ),
    "baseline-unnamed.edgeship": with_facts(lambda facts: facts.update(baseline="baseline.json")),
    "shape-zero.edgeship": with_facts(lambda facts: facts["inputs"][0].update(shape=[None, 0])),
    "shape-scalar.edgeship": with_facts(lambda facts: facts["outputs"][0].update(shape=[])),
    "feature-names.edgeship": with_facts(
        lambda facts: facts["inputs"][0].update(feature_names=["length", "width"])
    ),
    "classes.edgeship": with_facts(lambda facts: facts.update(classes=[0, 1, 2])),
    "names-alike.edgeship": with_facts(lambda facts: facts["outputs"].append(facts["outputs"][0])),
    "name-empty.edgeship": with_facts(lambda facts: facts["inputs"][0].update(name="")),
}


def write(path: Path, content: bytes | Files) -> None:
    """Write one case below its name, a zip or a folder."""
    if isinstance(content, bytes):
        path.write_bytes(content)
        return
    for name, data in content.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def main() -> None:
    """Write the good bundle and every case, in place of those there are."""
    shutil.rmtree(BUNDLES, ignore_errors=True)
    BUNDLES.mkdir()
    write(PLAIN, zipped(plain()))
    for name, make in CASES.items():
        write(BUNDLES / name, make())


if __name__ == "__main__":
    main()
