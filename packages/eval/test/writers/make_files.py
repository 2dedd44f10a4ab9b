"""Writes the files of this folder: one table of questions as different programs and settings write it, and JSON lines as Windows does.

  python make_files.py

Needs pyarrow.
"""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).parent
ROWS = 7
# A minimal image: a GIF of one pixel. Rows differ in the byte after its end.
GIF = bytes.fromhex("47494638396101000100800000ffffff00000021f90401000000002c00000000010001000002024401003b")


def table(text: pa.DataType, binary: pa.DataType, nulls: bool = False) -> pa.Table:
    """Questions as POPE has them on the Hub. With `nulls`, the image of row 2 and the bytes of row 4 are missing."""
    pictures = [{"bytes": GIF + bytes([row]), "path": f"{row}.gif"} for row in range(ROWS)]
    if nulls:
        pictures[2] = None
        pictures[4] = {"bytes": None, "path": "4.gif"}
    columns = {
        "question_id": pa.array([str(row) for row in range(ROWS)], text),
        "question": pa.array([f"Is there a dog? é 漢 {row}" for row in range(ROWS)], text),
        "answer": pa.array(["yes" if row % 3 else "no" for row in range(ROWS)], text),
        "category": pa.array(["adversarial" if row < 4 else "popular" for row in range(ROWS)], text),
        "image": pa.array(pictures, pa.struct([("bytes", binary), ("path", text)])),
    }
    return pa.table(columns)


PLAIN = table(pa.string(), pa.binary())
LARGE = table(pa.large_string(), pa.large_binary())
# pandas' categories become dictionaries in Arrow too, not only in pages.
CATEGORIES = PLAIN.set_column(3, "category", PLAIN["category"].dictionary_encode())

FILES = {
    "uncompressed": (PLAIN, dict(compression="none")),
    "snappy": (PLAIN, dict(compression="snappy")),
    "zstd": (PLAIN, dict(compression="zstd")),
    "gzip": (PLAIN, dict(compression="gzip")),
    "brotli": (PLAIN, dict(compression="brotli")),
    "lz4": (PLAIN, dict(compression="lz4")),
    "no-dictionary": (PLAIN, dict(compression="none", use_dictionary=False)),
    "byte-stream": (PLAIN, dict(compression="zstd", use_dictionary=False, column_encoding={"question": "DELTA_BYTE_ARRAY", "answer": "DELTA_LENGTH_BYTE_ARRAY"})),
    "row-groups": (PLAIN, dict(compression="zstd", row_group_size=2)),
    "pages-v2": (PLAIN, dict(compression="zstd", data_page_version="2.0", data_page_size=64, write_page_index=True)),
    "large": (LARGE, dict(compression="zstd", row_group_size=3)),
    "categories": (CATEGORIES, dict(compression="snappy")),
    "no-arrow-schema": (LARGE, dict(compression="gzip", store_schema=False, version="1.0")),
    "null-images": (table(pa.large_string(), pa.large_binary(), nulls=True), dict(compression="zstd")),
}  # fmt: skip

if __name__ == "__main__":
    for name, (rows, options) in FILES.items():
        pq.write_table(rows, HERE / f"{name}.parquet", **options)
    lines = [{"image": "a.png", "question": f"Was ist Nr. {row}? é 漢", "answer": row} for row in range(3)]
    text = "\r\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\r\n\r\n"
    (HERE / "windows.jsonl").write_bytes(b"\xef\xbb\xbf" + text.encode())
