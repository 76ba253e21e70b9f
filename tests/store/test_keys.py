"""What is sealed opens with its key, at its place, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.keys import DataKey, KeyProblem, Keyring, Tampered

KEY = DataKey(bytes(range(32)))
names = st.text(max_size=12)
places = st.tuples(names, names, names)


@given(st.binary(max_size=5000), places, st.integers(1, 4096))
def test_what_is_sealed_comes_back_as_it_was(plain: bytes, place: tuple[str, str, str], pad_to: int) -> None:
    table, row, column = place
    sealed = KEY.seal(plain, table=table, row=row, column=column, pad_to=pad_to)
    assert KEY.unseal(sealed, table=table, row=row, column=column) == plain


@given(st.binary(max_size=100), places, places)
def test_sealed_bytes_moved_to_another_place_are_refused(
    plain: bytes, here: tuple[str, str, str], there: tuple[str, str, str]
) -> None:
    sealed = KEY.seal(plain, table=here[0], row=here[1], column=here[2])
    if here == there:
        return
    with pytest.raises(Tampered):
        KEY.unseal(sealed, table=there[0], row=there[1], column=there[2])


@given(st.binary(max_size=100), st.data())
def test_one_bit_changed_is_refused(plain: bytes, data: st.DataObject) -> None:
    sealed = bytearray(KEY.seal(plain, table="t", row="r", column="c", pad_to=32))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(Tampered):
        KEY.unseal(bytes(sealed), table="t", row="r", column="c")


@given(st.binary(max_size=60))
def test_cut_or_foreign_bytes_are_refused_and_never_break(junk: bytes) -> None:
    with pytest.raises(Tampered):
        KEY.unseal(junk, table="t", row="r", column="c")


def test_padding_hides_whether_little_or_much_was_said() -> None:
    lengths = {len(KEY.seal(b"x" * n, table="t", row="r", column="c", pad_to=2048)) for n in (0, 1, 700, 2044)}
    assert len(lengths) == 1
    assert len(KEY.seal(b"x" * 2045, table="t", row="r", column="c", pad_to=2048)) == lengths.pop() + 2048


def test_the_same_words_are_never_sealed_twice_alike() -> None:
    assert len({KEY.seal(b"oui", table="t", row="r", column="c") for _ in range(100)}) == 100


def test_a_data_key_opens_for_its_own_conversation_only() -> None:
    keyring = Keyring(bytes(32))
    key, wrapped = keyring.new_data_key("a")
    sealed = key.seal(b"secret", table="t", row="r", column="c")
    assert keyring.unwrap("a", wrapped).unseal(sealed, table="t", row="r", column="c") == b"secret"
    with pytest.raises(Tampered):
        keyring.unwrap("b", wrapped)
    with pytest.raises(Tampered):
        Keyring(b"\x01" * 32).unwrap("a", wrapped)


@given(names, names, names, names)
def test_a_digest_depends_on_purpose_value_and_key(purpose: str, value: str, other: str, word: str) -> None:
    keyring = Keyring(bytes(32))
    assert (keyring.digest(purpose, value) == keyring.digest(other, word)) == ((purpose, value) == (other, word))
    assert keyring.digest(purpose, value) != Keyring(b"\x01" * 32).digest(purpose, value)


def test_a_new_key_file_is_for_its_owner_alone_and_is_found_again(tmp_path: Path) -> None:
    path = tmp_path / "key" / "master.key"
    first = Keyring.open(path, may_create=True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert list(path.parent.iterdir()) == [path]
    assert Keyring.open(path, may_create=True).digest("p", "v") == first.digest("p", "v")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_can_read_is_refused_with_the_command_to_run(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "master.key"
    Keyring.open(path, may_create=True)
    path.chmod(mode)
    with pytest.raises(KeyProblem, match=f"chmod 600 {path}"):
        Keyring.open(path, may_create=True)


@pytest.mark.parametrize("text", [b"", b"pas une clef", b"AAAA", b"A" * 43, b"\xff" * 32, b"A" * 2000])
def test_a_damaged_key_is_refused_and_left_as_it_is(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "master.key"
    path.write_bytes(text)
    path.chmod(0o600)
    with pytest.raises(KeyProblem, match="abîmé"):
        Keyring.open(path, may_create=True)
    assert path.read_bytes() == text


def test_a_missing_key_is_not_made_unless_allowed(tmp_path: Path) -> None:
    with pytest.raises(KeyProblem, match="introuvable"):
        Keyring.open(tmp_path / "master.key", may_create=False)
    assert not list(tmp_path.iterdir())


def test_a_key_place_that_is_a_folder_is_a_sentence_not_a_traceback(tmp_path: Path) -> None:
    with pytest.raises(KeyProblem, match="ne peut pas être ouvert"):
        Keyring.open(tmp_path, may_create=True)
