"""Every kind of bad LoRA file gets a sentence, and whatever passes does not harm llama.cpp."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bot.errors import BrokenLora, LoraError, UnsupportedLora, WrongBase
from bot.loras.base_weights import BaseWeights
from bot.loras.check import MOST_BYTES, check_lora
from bot.loras.gguf_writer import LoraPair, LoraSettings, write_lora
from bot.writers.engine import LoraFile, StopFlag, Turn, WritingReport, WritingRequest
from bot.writers.llamacpp import LlamaCppEngine
from tests.fakes.tiny_gguf import INNER, WIDTH, write_tiny_llama, write_tiny_qwen2

Q, DOWN = "blk.0.attn_q.weight", "blk.1.ffn_down.weight"
GOOD: dict[str, Any] = {
    "general.architecture": "qwen2",
    "general.type": "adapter",
    "adapter.type": "lora",
    "adapter.lora.alpha": np.float32(4),
}
Arrays = dict[str, NDArray[Any]]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_qwen2(tmp_path_factory.mktemp("base") / "tiny.gguf")


@pytest.fixture(scope="module")
def base(model: Path) -> BaseWeights:
    return BaseWeights.read(model)


def arrays(rank: int = 2, dtype: type[np.generic] = np.float32) -> Arrays:
    random = np.random.default_rng(0)
    shapes = {Q: (WIDTH, WIDTH), DOWN: (WIDTH, INNER)}
    made = {}
    for name, (out, into) in shapes.items():
        made[f"{name}.lora_a"] = random.normal(0, 0.1, (rank, into)).astype(dtype)
        made[f"{name}.lora_b"] = random.normal(0, 0.1, (out, rank)).astype(dtype)
    return made


def raw(values: dict[str, Any], tensors: Arrays, types: dict[str, gguf.GGMLQuantizationType] | None = None) -> bytes:
    """A GGUF as it is described, however wrong. numpy scalars keep their type; lists are arrays of 32 bits."""
    kinds = {str: 8, np.float32: 6, np.uint32: 4, np.float64: 12, bool: 7}
    forms = {6: "<f", 4: "<I", 12: "<d", 7: "<?"}
    out = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values))
    for key, value in values.items():
        out += text(key)
        if isinstance(value, list):
            out += struct.pack(f"<IIQ{len(value)}I", 9, 4, len(value), *value)
            continue
        kind = kinds[type(value)]
        out += struct.pack("<I", kind) + (text(value) if kind == 8 else struct.pack(forms[kind], value))
    data = b""
    for name, array in tensors.items():
        own = {np.dtype("f4"): 0, np.dtype("f2"): 1, np.dtype("f8"): 28}[array.dtype]
        kind = (types or {}).get(name, own)
        if kind != own:
            array = gguf.quants.quantize(array, gguf.GGMLQuantizationType(kind))  # noqa: PLW2901
        shape = tensors[name].shape[::-1]
        out += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, len(data))
        data += array.tobytes()
        data += bytes(-len(data) % 32)
    return out + bytes(-len(out) % 32) + data


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def checked(content: bytes, base: BaseWeights, folder: Path) -> object:
    path = folder / "lora.gguf"
    path.write_bytes(content)
    return check_lora(path, base)


def test_the_hand_made_file_is_a_good_one(base: BaseWeights, tmp_path: Path) -> None:
    done = check_lora_of(raw(GOOD, arrays()), base, tmp_path)
    assert (done.rank, done.alpha, done.tensors) == (2, 4.0, (Q, DOWN))


def check_lora_of(content: bytes, base: BaseWeights, folder: Path) -> Any:
    return checked(content, base, folder)


@pytest.mark.parametrize("kind", ["F16", "BF16", "Q8_0"])
def test_the_types_that_llamacpps_converter_writes_pass(
    base: BaseWeights, model: Path, tmp_path: Path, kind: str
) -> None:
    tensors = arrays(rank=32)
    content = raw(GOOD, tensors, dict.fromkeys(tensors, gguf.GGMLQuantizationType[kind]))
    assert check_lora_of(content, base, tmp_path).rank == 32
    assert outlives(model, tmp_path / "lora.gguf")


def test_more_about_itself_is_allowed(base: BaseWeights, tmp_path: Path) -> None:
    more = GOOD | {"general.name": "사내 LoRA", "general.tags": [1, 2, 3], "general.file_type": np.uint32(0), "x": True}
    assert check_lora_of(raw(more | {"general.license": "x" * 5000}, arrays()), base, tmp_path).rank == 2


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in GOOD.items() if name != key}


VALUES = {
    "another type": (GOOD | {"general.type": "model"}, BrokenLora),
    "no type": (without("general.type"), BrokenLora),
    "type as a number": (GOOD | {"general.type": np.uint32(1)}, BrokenLora),
    "a control vector": (GOOD | {"adapter.type": "control_vector"}, BrokenLora),
    "no lora type": (without("adapter.type"), BrokenLora),
    "another architecture": (GOOD | {"general.architecture": "llama"}, WrongBase),
    "no architecture": (without("general.architecture"), WrongBase),
    "architecture as a number": (GOOD | {"general.architecture": np.uint32(1)}, WrongBase),
    "no alpha": (without("adapter.lora.alpha"), BrokenLora),
    "alpha as a whole number": (GOOD | {"adapter.lora.alpha": np.uint32(4)}, BrokenLora),
    "alpha as a double": (GOOD | {"adapter.lora.alpha": np.float64(4)}, BrokenLora),
    "alpha as a text": (GOOD | {"adapter.lora.alpha": "4"}, BrokenLora),
    "alpha as an array": (GOOD | {"adapter.lora.alpha": [4]}, BrokenLora),
    "alpha 0": (GOOD | {"adapter.lora.alpha": np.float32(0)}, BrokenLora),
    "alpha below 0": (GOOD | {"adapter.lora.alpha": np.float32(-1)}, BrokenLora),
    "alpha not a number": (GOOD | {"adapter.lora.alpha": np.float32("nan")}, BrokenLora),
    "alpha infinite": (GOOD | {"adapter.lora.alpha": np.float32("inf")}, BrokenLora),
    "aLoRA": (GOOD | {"adapter.alora.invocation_tokens": [1, 2]}, UnsupportedLora),
    "a key that C reads as another": ({"adapter.lora.alpha\0": np.uint32(4)} | GOOD, BrokenLora),
    "an empty key": (GOOD | {"": "x"}, BrokenLora),
    "an alignment of 3": (GOOD | {"general.alignment": np.uint32(3)}, BrokenLora),
    "an alignment of 0": (GOOD | {"general.alignment": np.uint32(0)}, BrokenLora),
    "a huge alignment": (GOOD | {"general.alignment": np.uint32(1 << 31)}, BrokenLora),
    "an alignment as a text": (GOOD | {"general.alignment": "32"}, BrokenLora),
}


@pytest.mark.parametrize("case", VALUES)
def test_wrong_values_are_refused(base: BaseWeights, tmp_path: Path, case: str) -> None:
    values, error = VALUES[case]
    with pytest.raises(error):
        checked(raw(values, arrays()), base, tmp_path)


def renamed(old: str, new: str) -> Callable[[Arrays], Arrays]:
    return lambda tensors: {name.replace(old, new): array for name, array in tensors.items()}


def put(name: str, array: NDArray[Any]) -> Callable[[Arrays], Arrays]:
    return lambda tensors: tensors | {name: array}


def dropped(name: str) -> Callable[[Arrays], Arrays]:
    return lambda tensors: {other: array for other, array in tensors.items() if other != name}


def spoilt(name: str, number: float) -> Callable[[Arrays], Arrays]:
    def spoil(tensors: Arrays) -> Arrays:
        tensors[name][-1, -1] = number
        return tensors

    return spoil


ZEROS = np.zeros((2, WIDTH), np.float32)
TENSORS: dict[str, tuple[Callable[[Arrays], Arrays], type[LoraError]]] = {
    "none at all": (lambda tensors: {}, BrokenLora),
    "a tensor that the base lacks": (renamed("blk.0.", "blk.7."), WrongBase),
    "a plain weight": (renamed(".lora_a", ""), BrokenLora),
    "a norm": (put("blk.0.attn_norm.weight", np.ones(WIDTH, np.float32)), BrokenLora),
    "a pair on a norm": (renamed("attn_q.", "attn_norm."), UnsupportedLora),
    "a pair on a bias": (renamed("attn_q.weight", "attn_q.bias"), UnsupportedLora),
    "a pair on the embedding": (
        lambda tensors: {"token_embd.weight.lora_a": ZEROS, "token_embd.weight.lora_b": ZEROS},
        UnsupportedLora,
    ),
    "no A": (dropped(f"{Q}.lora_a"), BrokenLora),
    "no B": (dropped(f"{Q}.lora_b"), BrokenLora),
    "a stray suffix": (put(f"{Q}.lora_c", ZEROS), BrokenLora),
    "the suffix twice": (renamed(".lora_a", ".lora_a.lora_a"), WrongBase),
    "another input": (put(f"{Q}.lora_a", np.zeros((2, INNER), np.float32)), WrongBase),
    "another output": (put(f"{Q}.lora_b", np.zeros((INNER, 2), np.float32)), WrongBase),
    "A and B of two ranks": (put(f"{Q}.lora_b", np.zeros((WIDTH, 3), np.float32)), BrokenLora),
    "A transposed": (put(f"{Q}.lora_a", np.zeros((WIDTH, 2), np.float32)), BrokenLora),
    "a vector": (put(f"{Q}.lora_a", np.zeros(WIDTH, np.float32)), BrokenLora),
    "three dimensions": (put(f"{Q}.lora_a", np.zeros((1, 2, WIDTH), np.float32)), BrokenLora),
    "a dimension of 0": (put(f"{Q}.lora_a", np.zeros((0, WIDTH), np.float32)), BrokenLora),
    "two ranks": (
        lambda tensors: arrays(3) | {n: a for n, a in tensors.items() if n.startswith(Q)},
        UnsupportedLora,
    ),
    "a huge rank": (lambda tensors: arrays(257), UnsupportedLora),
    "doubles": (lambda tensors: arrays(dtype=np.float64), UnsupportedLora),
    "not a number": (spoilt(f"{DOWN}.lora_b", np.nan), BrokenLora),
    "infinite": (spoilt(f"{Q}.lora_a", -np.inf), BrokenLora),
    "a name too long for C": (renamed("attn_q", "attn_q" + "x" * 60), WrongBase),
    "a name with a zero byte": (renamed("attn_q.weight", "attn_q.weight\0"), WrongBase),
}


@pytest.mark.parametrize("case", TENSORS)
def test_wrong_tensors_are_refused(base: BaseWeights, tmp_path: Path, case: str) -> None:
    change, error = TENSORS[case]
    with pytest.raises(error) as caught:
        checked(raw(GOOD, change(arrays())), base, tmp_path)
    assert caught.value.explain("ko").isprintable()


@pytest.mark.parametrize("kind", ["F16", "BF16", "Q8_0"])
def test_numbers_that_are_not_finite_are_found_in_every_type(base: BaseWeights, tmp_path: Path, kind: str) -> None:
    tensors = arrays(rank=32)
    content = bytearray(raw(GOOD, tensors, dict.fromkeys(tensors, gguf.GGMLQuantizationType[kind])))
    block = {"F16": 2, "BF16": 2, "Q8_0": 34}[kind]
    infinity = {"F16": 0x7C00, "BF16": 0x7F80, "Q8_0": 0x7C00}[kind]
    content[-block:][:2] = content[len(content) - block : len(content) - block + 2] = struct.pack("<H", infinity)
    with pytest.raises(BrokenLora, match="finite"):
        checked(bytes(content), base, tmp_path)


def test_a_type_whose_blocks_do_not_fit_is_refused(base: BaseWeights, tmp_path: Path) -> None:
    content = raw(GOOD, {name: array for name, array in arrays(rank=2).items() if name.startswith(Q)})
    at = content.index(f"{Q}.lora_b".encode()) + len(f"{Q}.lora_b") + 4 + 16
    in_blocks = content[:at] + struct.pack("<I", 8) + content[at + 4 :]
    as_long_as_its_blocks = in_blocks[: len(in_blocks) - 2 * WIDTH * 4 + 2 * WIDTH // 32 * 34]
    with pytest.raises(BrokenLora, match="damaged"):
        checked(as_long_as_its_blocks, base, tmp_path)


@pytest.mark.parametrize("kind", [2, 12, 28, 255, 0xFFFFFFFF])
def test_other_types_are_refused(base: BaseWeights, tmp_path: Path, kind: int) -> None:
    content = raw(GOOD, arrays())
    at = content.index(f"{Q}.lora_a".encode()) + len(f"{Q}.lora_a") + 4 + 16
    with pytest.raises(UnsupportedLora, match=str(kind)):
        checked(content[:at] + struct.pack("<I", kind) + content[at + 4 :], base, tmp_path)


def test_a_file_cut_off_anywhere_is_refused(base: BaseWeights, tmp_path: Path) -> None:
    content = raw(GOOD, arrays())
    for length in [*range(0, 700, 7), *range(700, len(content), 97), len(content) - 1]:
        with pytest.raises(BrokenLora):
            checked(content[:length], base, tmp_path)


def test_a_file_that_goes_on_is_refused(base: BaseWeights, tmp_path: Path) -> None:
    with pytest.raises(BrokenLora, match="goes on"):
        checked(raw(GOOD, arrays()) + b"more", base, tmp_path)


def test_tensors_that_overlap_are_refused(base: BaseWeights, tmp_path: Path) -> None:
    content = raw(GOOD, arrays())
    at = content.index(f"{Q}.lora_b".encode()) + len(f"{Q}.lora_b") + 4 + 16 + 4
    with pytest.raises(BrokenLora):
        checked(content[:at] + struct.pack("<Q", 0) + content[at + 8 :], base, tmp_path)


def test_a_name_that_stands_twice_is_refused(base: BaseWeights, tmp_path: Path) -> None:
    twice = raw(GOOD | {"x": "1", "y": "2"}, arrays()).replace(text("y"), text("x"))
    with pytest.raises(BrokenLora, match="damaged"):
        checked(twice, base, tmp_path)
    more = raw(GOOD, arrays() | {"blk.1.attn_q.weight.lora_a": ZEROS})
    with pytest.raises(BrokenLora, match="damaged"):
        checked(more.replace(b"blk.1.attn_q", b"blk.0.attn_q"), base, tmp_path)


def test_what_is_no_such_file_is_refused(base: BaseWeights, model: Path, tmp_path: Path) -> None:
    (tmp_path / "folder.gguf").mkdir()
    (tmp_path / "text.gguf").write_text("LoRA가 아닙니다", encoding="utf-8")
    for path in (tmp_path / "missing.gguf", tmp_path / "folder.gguf", tmp_path / "text.gguf", model, Path("a\0b")):
        with pytest.raises(BrokenLora):
            check_lora(path, base)


def test_a_lora_of_another_base_is_refused(base: BaseWeights, tmp_path: Path) -> None:
    other = BaseWeights.read(write_tiny_llama(tmp_path / "llama.gguf"))
    factors = LoraPair(np.zeros((2, WIDTH)), np.zeros((WIDTH, 2)))
    write_lora(tmp_path / "a.gguf", other, LoraSettings(2, 4), {"model.layers.0.self_attn.q_proj": factors})
    with pytest.raises(WrongBase, match="llama"):
        check_lora(tmp_path / "a.gguf", base)


def head(version: int = 3, tensors: int = 4, values: int = 4) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, values)


HOSTILE = {
    "countless values": head(values=1 << 63) + bytes(100),
    "countless tensors": head(tensors=(1 << 64) - 1, values=0) + bytes(100),
    "an endless key": head() + struct.pack("<Q", (1 << 64) - 1),
    "an endless text": head() + text("k") + struct.pack("<IQ", 8, 1 << 63),
    "an endless array": head() + text("k") + struct.pack("<IIQ", 9, 12, 1 << 61),
    "endlessly many texts": head() + text("k") + struct.pack("<IIQ", 9, 8, 1 << 60) + bytes(100),
    "texts that end beyond the file": head() + text("k") + struct.pack("<IIQQ", 9, 8, 2, 1 << 40) + bytes(100),
    "an array of arrays": head() + text("k") + struct.pack("<IIQ", 9, 9, 1),
    "an unknown type": head() + text("k") + struct.pack("<I", 99),
    "five dimensions": head(values=0) + text("t") + struct.pack("<I5QIQ", 5, 1, 1, 1, 1, 1, 0, 0),
    "a tensor of all memory": head(values=0) + text("t") + struct.pack("<I2QIQ", 2, 1 << 63, 1 << 63, 0, 0),
    "version 1": head(version=1) + bytes(100),
    "the other byte order": b"GGUF" + struct.pack(">IQQ", 3, 4, 4) + bytes(100),
}


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("padding", [0, 900 << 20], ids=["short", "huge"])
def test_a_hostile_file_eats_no_memory(base: BaseWeights, tmp_path: Path, case: str, padding: int) -> None:
    path = tmp_path / "lora.gguf"
    with path.open("wb") as file:
        file.write(HOSTILE[case])
        file.truncate(len(HOSTILE[case]) + padding)  # sparse: takes no disk
    assert peak_of_refusal(path, base) < 32 << 20


def peak_of_refusal(path: Path, base: BaseWeights) -> int:
    tracemalloc.start()
    try:
        with pytest.raises(LoraError):
            check_lora(path, base)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_file_larger_than_any_lora_is_not_read(base: BaseWeights, tmp_path: Path) -> None:
    path = tmp_path / "lora.gguf"
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(BrokenLora, match="MiB"):
        check_lora(path, base)


def test_numbers_are_read_in_small_parts(tmp_path: Path) -> None:
    width = 1 << 17
    big = BaseWeights("big", "qwen2", {Q: (width, WIDTH)}, 4, 2)
    factors = {f"{Q}.lora_a": np.zeros((64, width), np.float32), f"{Q}.lora_b": np.zeros((WIDTH, 64), np.float32)}
    factors[f"{Q}.lora_a"][-1, -1] = np.nan
    path = tmp_path / "lora.gguf"
    path.write_bytes(raw(GOOD, factors))
    assert path.stat().st_size > 32 << 20
    del factors
    assert peak_of_refusal(path, big) < 8 << 20


# -- what passes must be harmless ------------------------------------------------------------------------------------------


def outlives(model: Path, lora: Path) -> bool:
    """Whether a live engine takes the file and still writes. A file that should not have passed ends the test run instead."""
    engine = LlamaCppEngine(model, context_tokens=128, threads=1)
    try:
        return takes(engine, lora)
    finally:
        engine.close()


def takes(engine: LlamaCppEngine, lora: Path) -> bool:
    request = WritingRequest((Turn("user", "연차"),), max_tokens=2, lora=LoraFile.of(lora))
    return any(isinstance(event, WritingReport) for event in engine.write(request, StopFlag()))


@pytest.fixture(scope="module")
def engine(model: Path) -> Iterator[LlamaCppEngine]:
    made = LlamaCppEngine(model, context_tokens=128, threads=1)
    yield made
    made.close()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good file with some bytes changed, taken out or put in; mostly in its head."""
    content = bytearray(raw(GOOD, arrays()))
    begins = len(content) - sum(array.nbytes for array in arrays().values())
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, begins) | st.integers(0, len(content) - 1))
        what = draw(st.sampled_from(["byte", "byte", "number", "out", "in"]))
        if what == "byte":
            content[at] = draw(st.integers(0, 255))
        elif what == "number":
            width, number = draw(st.sampled_from([(4, "<I"), (8, "<Q")]))
            content[at : at + width] = struct.pack(
                number, draw(st.sampled_from([0, 1, 2, 6, 8, 30, 64, 1 << 31, (1 << 32) - 1]))
            )
        elif what == "out":
            del content[at : at + draw(st.integers(1, 40))]
        else:
            content[at:at] = draw(st.binary(min_size=1, max_size=40))
    return bytes(content)


@given(content=damaged() | st.binary(max_size=400) | st.binary(max_size=400).map(lambda tail: b"GGUF" + tail))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_bytes_are_they_are_refused_or_harmless(
    base: BaseWeights, engine: LlamaCppEngine, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "lora.gguf"
    path.write_bytes(content)
    try:
        check_lora(path, base)
    except LoraError:
        return
    assert takes(engine, path)
