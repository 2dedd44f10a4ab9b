// Readers for your own tasks: parquet, JSON, JSON lines, TSV, folders of images.

export { CorruptFileError, MissingFileError } from '../errors.js';
export {
  type Folder,
  type FolderOptions,
  imageBase64,
  imageBytes,
  imageCell,
  imageFile,
  openFolder,
} from './folder.js';
export { type LocateParquet, parquetTable } from './parquet.js';
export {
  idCell,
  integerCell,
  memoryTable,
  optionalTextCell,
  type ReadRowsOptions,
  type Row,
  type Table,
  textCell,
  textsCell,
} from './table.js';
export {
  type LineRow,
  parsePythonList,
  readJson,
  readJsonLines,
  readJsonRows,
  readTsv,
  type TextRow,
} from './text-files.js';
