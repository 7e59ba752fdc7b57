"""The file of an import as encrypted chunks: sealing them, and reading them back as text.

A chunk is bound to its upload and its number, so that chunks can't be exchanged or moved to another import.
"""

from __future__ import annotations

import codecs
from collections.abc import AsyncIterator

from chassis.privacy.vault import PersonKey
from services.registration.documents import IMPORT_CHUNKS
from services.registration.imports.store import ImportStore

CHUNK_BYTES = 256 * 1024
# The vault encrypts texts; in this encoding every byte is one character, so any bytes make the way there and back.
_BYTES_AS_TEXT = "latin-1"


def seal_chunk(key: PersonKey, upload: str, number: int, piece: bytes) -> bytes:
    """One piece of the file, encrypted."""
    return key.encrypt(piece.decode(_BYTES_AS_TEXT), collection=IMPORT_CHUNKS, field=str(number), subject=upload)


async def texts_of(store: ImportStore, key: PersonKey, upload: str) -> AsyncIterator[tuple[str, bool]]:
    """The file as text, decrypted piece by piece, each with whether it is the last one.

    Bytes that aren't UTF-8 become U+FFFD; a character may lie across two chunks. Raises ConnectionError if the file is gone.
    """
    utf8 = codecs.getincrementaldecoder("utf-8")("replace")
    count = await store.count_chunks(upload)
    if count == 0:  # even an empty file has a chunk: a file that is gone must not be taken for one without rows
        raise ConnectionError("the file is gone")
    for number in range(count):
        sealed = await store.chunk(upload, number)
        piece = key.decrypt(sealed, collection=IMPORT_CHUNKS, field=str(number), subject=upload).encode(_BYTES_AS_TEXT)
        last = number == count - 1
        yield utf8.decode(piece, final=last), last
