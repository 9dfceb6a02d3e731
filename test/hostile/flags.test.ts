import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseClasses } from '../../src/data/subset.ts';
import { type Tensor, tensor } from '../../src/tensor.ts';
import { fakeContext } from '../cli/fakes.ts';
import { gpuTest, run } from '../harness.ts';
import { INPUTS } from './inputs.ts';

// What people type and what programs pass: it is taken as it is meant or refused in the documented way.

const numRuns = INPUTS;

test('lists of classes are ascending numbers of a byte, or refused', () => {
  const texts = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom(...'0123456789,- ') }),
    fc
      .array(
        fc.oneof(
          fc.nat(300).map(String),
          fc.tuple(fc.nat(300), fc.nat(300)).map((ends) => ends.join('-')),
        ),
      )
      .map(String),
  );
  fc.assert(
    fc.property(texts, (text) => {
      let classes: number[];
      try {
        classes = parseClasses(text);
      } catch (error) {
        assert.instance(error, RangeError);
        return;
      }
      assert.ok(
        classes.length > 0 &&
          classes.every((c, i) => Number.isInteger(c) && c >= 0 && c <= 255 && c > (classes[i - 1] ?? -1)),
      );
    }),
    { numRuns },
  );
});

const NUMBERS = ['-i', '-b', '--temperature', '-u', '--trade-off', '--reversal-alpha', '--reversal-iterations', '--lr'];
const MORE = [
  '--lr-gamma',
  '--momentum',
  '--wd',
  '-p',
  '--eval-freq',
  '--checkpoint-every',
  '--seed',
  '--source-limit',
];
const TEXTS = [
  '-s',
  '-t',
  '--source-classes',
  '--target-classes',
  '--seeds',
  '--method',
  '--source-test',
  '--target-test',
];
const flag = fc.constantFrom(
  ...NUMBERS,
  ...MORE,
  ...TEXTS,
  '--json',
  '--eager',
  '--per-class-eval',
  '--debug',
  '--',
  '-',
);
const value = fc.oneof(
  fc.constantFrom(
    '0',
    '1',
    '64',
    '-1',
    '1e999',
    'NaN',
    '0x10',
    '1.5',
    '',
    '0-4',
    '9-0',
    '0,0',
    '__proto__',
    'constructor',
  ),
  fc.constantFrom('mnist', 'fontdigits', 'idx:small', 'idx:bare', 'idx:', 'idx:/dev/null', 'pada', 'dann'),
  fc.double().map(String),
  fc.string(),
);
const words = fc.oneof(
  fc.tuple(flag, value),
  flag.map((one) => [one]),
  value.map((one) => [one]),
);

test('any command line ends with a code, and says in one line what is wrong', async () => {
  const command = fc.constantFrom('train', 'start', 'eval', 'weights', 'doctor');
  const base = fc.constantFrom(
    [],
    ['--source', 'fontdigits', '--target', 'mnist'],
    ['--model', 'nowhere', '--data', 'mnist'],
  );
  await fc.assert(
    fc.asyncProperty(command, base, fc.array(words, { maxLength: 5 }), async (name, given, rest) => {
      const args = [name, ...given, ...rest.flat()];
      // Whatever is right so far ends here.
      const context = fakeContext({ openGpu: () => Promise.reject(new Error('no GPU today')) });
      const code = await context.run(...args);
      const { stderr, stdout } = context;
      // The doctor's result is what it found, errors included.
      if (code === 0 || name === 'doctor') return;
      if (args.includes('--json')) assert.is(stdout.events.at(-1).event, 'error');
      assert.ok(code === 1 || code === 2, `exit code ${code}`);
      const said = stderr.lines.filter((line) => line.startsWith('padagrad: '));
      assert.is(said.length, 1, stderr.text);
      if (code === 1) assert.match(said[0]!, 'no GPU today');
    }),
    { numRuns },
  );
});

gpuTest('any shape over any data is a tensor of that shape, or refused with nothing made', async (gpu) => {
  const size = fc.oneof(
    fc.nat(5),
    fc.constantFrom(-1, 0.5, Number.NaN, 2 ** 31, 2 ** 53, Number.POSITIVE_INFINITY, '2', null),
  );
  const shape = fc.option(fc.oneof(fc.array(fc.nat(4), { maxLength: 4 }), fc.array(size, { maxLength: 4 })), {
    nil: undefined,
  });
  const { nested } = fc.letrec<{ nested: unknown; number: number }>((tie) => ({
    number: fc.oneof(fc.double(), fc.integer()),
    nested: fc.oneof({ maxDepth: 4 }, tie('number'), fc.array(tie('nested'), { maxLength: 3 })),
  }));
  const data = fc.oneof(nested, fc.float32Array({ maxLength: 64 }), fc.uint32Array({ maxLength: 64 }));
  const before = gpu.memory().buffers;
  let made = 0;
  await fc.assert(
    fc.asyncProperty(data, shape, async (content, asked) => {
      let x: Tensor;
      try {
        x = tensor(gpu, content as never, asked as never);
      } catch (error) {
        assert.ok(error instanceof TypeError || error instanceof RangeError, `${(error as Error).stack}`);
        assert.is(gpu.memory().buffers, before);
        return;
      }
      made++;
      const read: ArrayLike<number> = await (x.dtype === 'u32' ? x.readU32() : x.read());
      const flat = ArrayBuffer.isView(content) ? (content as Float32Array) : [content].flat(9);
      assert.is(read.length, flat.length);
      assert.ok(
        Array.from(read).every((value, i) => Object.is(value, Math.fround(flat[i] as number)) || value === flat[i]),
      );
      x.dispose();
    }),
    { numRuns },
  );
  assert.ok(made > numRuns / 20, `${made} were made`);
});

run();
