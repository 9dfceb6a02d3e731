// Reads feature vectors from CSV files (RFC 4180): a line of column names, then a line per example. All columns are numbers, except
// that of the labels, which may hold names.
import { DataError } from '../errors.ts';
import type { HostFeatures } from '../host.ts';
import type { NamedBytes } from './idx.ts';
import { numberClasses } from './names.ts';
import { textOf } from './text.ts';

/** A record's fields, and the line that it begins in, from 1. */
interface CsvRecord {
  line: number;
  fields: string[];
}

/** Splits CSV text into records, by RFC 4180: quoted fields may hold commas, line breaks and doubled quotes. */
export function parseCsv(text: string): CsvRecord[] {
  const records: CsvRecord[] = [];
  let line = 1;
  let record: CsvRecord = { line, fields: [] };
  // A field, then what ends it.
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\n|\r|$)/y;
  while (field.lastIndex < text.length) {
    const at = field.lastIndex;
    const [whole, quoted, plain, end] = field.exec(text) ?? [];
    if (whole === undefined) {
      field.lastIndex = at;
      throw new RangeError(`line ${line}: a quote in the middle of a field; quote the whole field`);
    }
    record.fields.push(quoted?.replaceAll('""', '"') ?? plain!);
    line += (whole.match(/\r\n|\n|\r/g) ?? []).length;
    if (end === ',' && field.lastIndex < text.length) continue;
    if (end === ',') record.fields.push('');
    // An empty line holds no record.
    if (record.fields.length > 1 || record.fields[0] !== '') records.push(record);
    record = { line, fields: [] };
    if (whole === '') break;
  }
  return records;
}

export interface CsvOptions {
  /** Name of the column that holds the labels. Default: there are none. */
  labelColumn?: string | undefined;
  /** Whether the table may lack the label column. Default: false. */
  mayLackLabels?: boolean | undefined;
}

/**
 * Reads feature vectors. Labels are whole numbers, or else names, whose order in the alphabet gives their numbers.
 *
 * @throws DataError if the file is no such table
 */
export function readCsv(table: NamedBytes, { labelColumn, mayLackLabels = false }: CsvOptions = {}): HostFeatures {
  const { file } = table;
  const refuse = (expected: string, found: string): never => {
    throw new DataError({ file, offset: 0, expected, found });
  };
  const [header, ...rows] = recordsOf(textOf(table, 'a CSV file'), refuse);
  const names = header?.fields ?? [];
  if (rows.length === 0) refuse('a line of column names and a line per example', `${header ? 'one line' : 'nothing'}`);
  // pandas names columns by their numbers if they have no names.
  if (names.every(isNumber) && !names.every((name, i) => name === String(i)))
    refuse('a line of column names', `the numbers ${names.slice(0, 8).join(', ')} in line ${header!.line}`);
  const labelAt = labelColumn === undefined ? -1 : names.indexOf(labelColumn);
  if (labelAt < names.lastIndexOf(labelColumn!)) refuse(`one column '${labelColumn}' of labels`, 'several');
  if (labelColumn !== undefined && labelAt < 0 && !mayLackLabels)
    refuse(`a column '${labelColumn}' of labels`, `the columns ${names.slice(0, 8).join(', ')}`);
  const columns = names.map((_, i) => i).filter((i) => i !== labelAt);
  const dim = columns.length;
  if (dim === 0) refuse('a column of numbers', `only the labels`);
  const features = new Float32Array(rows.length * dim);
  for (const [r, { line, fields }] of rows.entries()) {
    if (fields.length !== names.length)
      refuse(`${names.length} fields in each line, as in the first`, `${fields.length} in line ${line}`);
    for (const [j, column] of columns.entries()) {
      if (!isNumber(fields[column]!))
        refuse('numbers that f32 can hold', `'${fields[column]}' in line ${line}, column ${names[column]}`);
      features[r * dim + j] = Number(fields[column]);
    }
    if (fields[labelAt]?.trim() === '') refuse('a label', `none in line ${line}, column ${labelColumn}`);
  }
  const data = { features, count: rows.length, dim };
  return labelAt < 0 ? data : { ...data, ...numberClasses(rows.map(({ fields }) => fields[labelAt]!)) };
}

const isNumber = (field: string): boolean => field.trim() !== '' && Number.isFinite(Math.fround(Number(field)));

function recordsOf(text: string, refuse: (expected: string, found: string) => never): CsvRecord[] {
  try {
    return parseCsv(text);
  } catch (cause) {
    return refuse('a CSV file', (cause as Error).message);
  }
}
