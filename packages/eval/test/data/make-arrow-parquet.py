# Writes arrow.parquet: rows as the `datasets` library uploads them, written by Arrow itself, so that the reader is not only tested on
# files of its own companion library. Run by hand: python make-arrow-parquet.py (needs pyarrow).

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 12
text = pa.large_string()
answer = pa.struct([("answer", text), ("answer_confidence", text), ("answer_id", pa.int64())])

table = pa.table(
    {
        "question_id": pa.array(range(ROWS), pa.int64()),
        "question": pa.array([f"Was ist Nr. {row}? é 漢" for row in range(ROWS)], text),
        "answer_type": pa.array(["other" if row % 2 else None for row in range(ROWS)], text),
        "answers": pa.array(
            [[{"answer": "red", "answer_confidence": "yes", "answer_id": n} for n in range(row % 4)] for row in range(ROWS)],
            pa.list_(answer),
        ),
        "image": pa.array(
            [{"bytes": bytes([0x89, row]) * (row + 1), "path": f"{row}.png"} for row in range(ROWS)],
            pa.struct([("bytes", pa.large_binary()), ("path", text)]),
        ),
    }
)

pq.write_table(
    table,
    Path(__file__).with_name("arrow.parquet"),
    compression="zstd",
    row_group_size=5,
    data_page_version="2.0",
    write_page_index=True,
)
