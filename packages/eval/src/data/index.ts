// Readers of @mmtok/eval: parquet, JSON, JSON lines, TSV, folders of pictures. For tasks of your own.

export { idCell, integerCell, optionalTextCell, textCell, textsCell } from './cells.js';
export { CorruptFileError, MissingFileError } from './errors.js';
export { type Folder, type FolderOptions, openFolder } from './folder.js';
export { imageBase64, imageBytes, imageCell, imageFile } from './image-source.js';
export type { LocateParquet } from './locate-parquet.js';
export { parquetTable } from './parquet-table.js';
export { parsePythonList } from './python-list.js';
export { memoryTable, type ReadRowsOptions, type Row, type Table } from './table.js';
export { type LineRow, readJson, readJsonLines, readJsonRows, readTsv, type TextRow } from './text-files.js';
