import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DataError } from '../../../src/data/errors.ts';
import { parseCsv, readCsv } from '../../../src/data/readers/csv.ts';
import { matchClasses, numberClasses } from '../../../src/data/readers/names.ts';

const read = (text: string, labelColumn?: string) =>
  readCsv({ file: 'x.csv', bytes: new TextEncoder().encode(text) }, { labelColumn });

test('records of RFC 4180', () => {
  const fields = (text: string) => parseCsv(text).map((record) => record.fields);
  assert.equal(fields('a,b\r\n1,2\r\n'), [
    ['a', 'b'],
    ['1', '2'],
  ]);
  assert.equal(fields('"a,""x""","b\nc"\n,'), [
    ['a,"x"', 'b\nc'],
    ['', ''],
  ]);
  assert.equal(fields('a\n\nb'), [['a'], ['b']]);
  assert.equal(fields(''), []);
  assert.equal(parseCsv('"x\ny"\nz')[1]!.line, 3);
  assert.throws(() => parseCsv('a,b"c'), /line 1: a quote in the middle of a field/);
});

test('columns of numbers, and labels by number or name', () => {
  const named = read('x,kind,y\n1,cat,2.5\n-3e1,dog,4\n5,cat,6\n', 'kind');
  assert.equal([...named.features], [1, 2.5, -30, 4, 5, 6]);
  assert.equal([named.dim, named.count, [...named.labels!], named.classNames], [2, 3, [0, 1, 0], ['cat', 'dog']]);
  assert.equal([...read('x,c\n1,2\n2,0\n3,1', 'c').labels!], [2, 0, 1]);
  assert.is(read('x,c\n1,2\n').dim, 2);
});

test('what is no table of numbers is refused, with its line', () => {
  const refused = (text: string, message: RegExp, labelColumn?: string) =>
    assert.throws(
      () => read(text, labelColumn),
      (error: Error) => error instanceof DataError && message.test(error.message),
      text,
    );
  refused('', /a line of column names and a line per example but found nothing/);
  refused('a,b\n', /but found one line/);
  refused('a,b\n1,2\n3\n', /2 fields in each line, as in the first but found 1 in line 3/);
  refused('a,b\n1,x\n', /numbers that f32 can hold but found 'x' in line 2, column b/);
  refused('a,b\n1,\n', /found '' in line 2, column b/);
  refused('a,b\n1,1e39\n', /found '1e39' in line 2/);
  refused('a,b\n1,2\n', /a column 'c' of labels but found the columns a, b/, 'c');
  refused('a\n1\n', /a column of numbers but found only the labels/, 'a');
  // The first example would be lost as names, and a missing label would be a class.
  refused('1,2\n3,4\n', /a line of column names but found the numbers 1, 2 in line 1/);
  assert.is(read('0,1\n3,4\n').count, 1);
  refused('a,y\n1,cat\n2, \n', /a label but found none in line 3, column y/, 'y');
  refused('y,a,y\n1,2,3\n', /one column 'y' of labels but found several/, 'y');
});

test('classes are numbered, and matched by name', () => {
  assert.equal(numberClasses(['3', '0', '1']), { labels: Uint32Array.of(3, 0, 1) });
  assert.equal(numberClasses(['2024', '2019']), { labels: Uint32Array.of(1, 0), classNames: ['2019', '2024'] });
  const target = { features: new Float32Array(2), dim: 1, count: 2, ...numberClasses(['dog', 'ant']) };
  const matched = matchClasses(target, ['ant', 'bee', 'dog']);
  assert.equal(
    [[...matched.labels!], matched.classNames],
    [
      [2, 0],
      ['ant', 'bee', 'dog'],
    ],
  );
  assert.throws(() => matchClasses(target, ['ant', 'bee']), /dog is not a class of the source, which are ant, bee/);
  const numbers = { features: new Float32Array(2), dim: 1, count: 2, labels: Uint8Array.of(1, 0) };
  assert.is(matchClasses(numbers, ['0', '1']), numbers);
  assert.throws(() => matchClasses(numbers, ['ant', 'bee']), /0, 1 are not classes of the source/);
});

test.run();
