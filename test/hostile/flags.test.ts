import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseClasses } from '../../src/data/subset.ts';
import { type Tensor, tensor } from '../../src/tensor.ts';
import { run as command, inFolder, refuseDevices } from '../cli/command.ts';
import { gpuTest, run } from '../harness.ts';
import { INPUTS } from './inputs.ts';

// Command lines and tensor data that people and programs may pass: each is accepted, or refused with a documented error.

const numRuns = INPUTS;

test('lists of classes are ascending numbers, or refused', () => {
  const texts = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom(...'0123456789,- ') }),
    fc
      .array(
        fc.oneof(
          fc.nat(100_300).map(String),
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
          classes.every((c, i) => Number.isInteger(c) && c >= 0 && c <= 99_999 && c > (classes[i - 1] ?? -1)),
      );
    }),
    { numRuns },
  );
});

const FLAGS =
  '-i -b --temperature -u --trade-off --reversal-alpha --reversal-iterations --lr --lr-gamma --momentum --wd -p --eval-freq ' +
  '--checkpoint-every --seed --source-limit -s -t --source-classes --target-classes --seeds --method --source-test --target-test ' +
  '--json --eager --per-class-eval --debug -- -';
const flag = fc.constantFrom(...FLAGS.split(' '));
const value = fc.oneof(
  fc.constantFrom('', ...'0 1 64 -1 1e999 NaN 0x10 1.5 0-4 9-0 0,0 __proto__ constructor'.split(' ')),
  fc.constantFrom('idx:s', 'idx:t', 'idx:bare', 'idx:', 'idx:/dev/null', 'pada', 'dann'),
  fc.double().map(String),
  fc.string(),
);
const words = fc.oneof(
  fc.tuple(flag, value),
  flag.map((one) => [one]),
  value.map((one) => [one]),
);

inFolder(test);

test('any command line ends with a code, and an error is one line', async () => {
  const commands = fc.oneof(
    fc.constantFrom('train', 'start').map((name) => [name, '-s', 'idx:s', '-t', 'idx:t', '-b', '8']),
    fc.constantFrom('eval', 'weights').map((name) => [name, '--model', 'nowhere', '--data', 'idx:s']),
    fc.constantFrom('train', 'eval', 'weights', 'doctor').map((name) => [name]),
  );
  // A correct command line ends here.
  const allow = refuseDevices('no GPU today');
  await fc.assert(
    fc.asyncProperty(commands, fc.array(words, { maxLength: 5 }), async (given, rest) => {
      const args = [...given, ...rest.flat()];
      const { code, stdout, stderr } = await command(args);
      // The result of `doctor` includes errors.
      if (code === 0 || args[0] === 'doctor') return;
      if (args.includes('--json')) assert.is(stdout.events.at(-1).event, 'error');
      assert.ok(code === 1 || code === 2, `exit code ${code}`);
      const lines = stderr.lines.filter((line) => line.startsWith('padagrad: '));
      assert.is(lines.length, 1, stderr.text);
      if (code === 1) assert.match(lines[0]!, 'no GPU today');
    }),
    { numRuns },
  );
  allow();
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
