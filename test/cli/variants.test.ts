import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cacheFolderOf } from '../../src/cli/variants.ts';
import type { GemmVariants } from '../../src/gemm/variants.ts';
import { type FakeOptions, fakeContext, fakeModel, VARIANTS } from './fakes.ts';

// Variants of matrix products in the command line, without a GPU: chosen once, kept, shown, part of a run.

const test = suite('variants');
const BASE = ['train', '--source', 'fontdigits', '--target', 'mnist', '--target-classes', '0-4', '--iterations', '40'];
const OF = 'linear 128x128x512';
const OTHER: GemmVariants = { [OF]: { family: 'workgroup', tile: 64, slices: 3 } };

let folder = '';
let cache = '';
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'padagrad-variants-'));
  cache = join(folder, 'a', 'cache');
});
test.after.each(() => rmSync(folder, { recursive: true, force: true }));

async function command(fake: FakeOptions, ...args: string[]) {
  const context = fakeContext({ cacheFolder: cache, variants: VARIANTS, ...fake });
  const code = await context.run(...args);
  return { ...context, code, said: context.stdout.text + context.stderr.text };
}
const begin = (...args: string[]) => command({}, ...BASE, ...args);
const kept = (): string => join(cache, readdirSync(cache)[0]!);
const configOf = (out: string) => JSON.parse(readFileSync(join(folder, out, 'config.json'), 'utf8'));

test('the first training chooses and keeps its choice, the next ones know it', async () => {
  const first = await begin();
  assert.is(first.code, 0, first.said);
  assert.equal(first.tuned[0]!.tuning.known, {});
  assert.is(first.tuned[0]!.tuning.milliseconds, undefined);
  assert.match(first.said, 'measuring the variants of matrix products, once on this device');
  assert.equal(first.trials[0]!.gemmVariants, VARIANTS);
  assert.match(first.said, /what was chosen is kept in .*gemm-[0-9a-f]{16}\.json/);
  assert.equal(readdirSync(cache).length, 1);
  const content = readFileSync(kept(), 'utf8');
  assert.equal(JSON.parse(content).gemmVariants, VARIANTS);
  assert.is(JSON.parse(content).device.device, 'llvmpipe');

  const second = await command({ variants: { ...VARIANTS, ...OTHER } }, ...BASE);
  assert.equal(second.tuned[0]!.tuning.known, VARIANTS);
  assert.equal(second.trials[0]!.gemmVariants, VARIANTS);
  assert.not.match(second.said, 'matrix products');
  assert.is(readFileSync(kept(), 'utf8'), content);

  const news: GemmVariants = { 'linear 2x2x2': { family: 'plain', tile: 32, slices: 1 } };
  const third = await command({ variants: news }, ...BASE, '--batch-size', '2');
  assert.equal(third.trials[0]!.gemmVariants, news, 'those of its own products alone');
  assert.equal(JSON.parse(readFileSync(kept(), 'utf8')).gemmVariants, { ...news, ...VARIANTS });
});

test('doctor shows what was chosen, and where it is kept', async () => {
  assert.match((await command({}, 'doctor')).said, 'variants    none chosen yet');
  assert.not.ok(existsSync(cache));
  await begin();
  const { said, tuned } = await command({}, 'doctor');
  assert.match(said, /^variant +linear 128x128x512: subgroup, tile 32, 1 slice$/m);
  assert.match(said, /^variant +linear\.gradient 128x512x128: plain, tile 32, 2 slices$/m);
  assert.match(said, `variants    kept in ${kept()}`);
  assert.equal(tuned, []);
  const [result] = (await command({}, 'doctor', '--json')).stdout.events;
  assert.equal([result.gemmVariants, result.variantsFile], [VARIANTS, kept()]);
});

test('another device has a choice of its own', async () => {
  await begin();
  assert.equal((await command({ software: false }, ...BASE)).tuned[0]!.tuning.known, {});
  assert.is(readdirSync(cache).length, 2);
});

for (const [what, text] of [
  ['cut short', '{"gemmVariants": {"linear'],
  ['empty', ''],
  ['something else', '[1, 2]'],
  ['of variants that are none', JSON.stringify({ gemmVariants: { [OF]: { family: 'magic', tile: 32, slices: 1 } } })],
]) {
  test(`a cache that is ${what} is said to be damaged, not used, and written anew`, async () => {
    await begin();
    writeFileSync(kept(), text!);
    const next = await begin();
    assert.is(next.code, 0);
    assert.match(next.said, `${kept()} is not used, for it is damaged`);
    assert.equal(next.tuned[0]!.tuning.known, {});
    assert.equal(JSON.parse(readFileSync(kept(), 'utf8')).gemmVariants, VARIANTS);
  });
}

test('where nothing can be kept that is said, and all runs of a command have the same', async () => {
  writeFileSync(join(folder, 'a'), 'a file in the place of the folder');
  const { code, said, tuned, trials } = await begin('--seeds', '0,1,2');
  assert.is(code, 0, said);
  assert.is(said.match(/what was chosen cannot be kept, and each command measures anew: /g)!.length, 1);
  assert.equal(
    tuned.map(({ tuning }) => tuning.known),
    [{}, VARIANTS, VARIANTS],
  );
  assert.equal(trials[2]!.gemmVariants, VARIANTS);
});

test('a folder that cannot be written to', async () => {
  await begin();
  rmSync(kept());
  chmodSync(cache, 0o500);
  try {
    const { code, said } = await begin();
    assert.is(code, 0);
    // Root writes everywhere.
    assert.match(
      said,
      process.getuid?.() === 0 ? 'is kept in' : 'cannot be kept, and each command measures anew: EACCES',
    );
  } finally {
    chmodSync(cache, 0o700);
  }
});

test('--gemm-variants default measures nothing and keeps nothing', async () => {
  const { code, tuned, trials } = await begin('--gemm-variants', 'default');
  assert.is(code, 0);
  assert.equal(tuned[0]!.tuning, { known: {}, milliseconds: 0 });
  assert.equal(trials[0]!.gemmVariants, VARIANTS);
  assert.not.ok(existsSync(cache));
});

test('--gemm-variants FILE takes those of a file, or of the config.json of another run', async () => {
  const file = join(folder, 'mine.json');
  writeFileSync(file, JSON.stringify(OTHER));
  const mine = await begin('--gemm-variants', file, '--out', join(folder, 'one'));
  assert.equal(mine.tuned[0]!.tuning, { known: OTHER, milliseconds: 0 });
  assert.equal(configOf('one').gemmVariants, { ...VARIANTS, ...OTHER });
  const again = await begin('--gemm-variants', join(folder, 'one', 'config.json'));
  assert.equal(again.trials[0]!.gemmVariants, { ...VARIANTS, ...OTHER });

  const stray = { 'linear 9x9x9': OTHER[OF]! };
  writeFileSync(file, JSON.stringify(stray));
  assert.match(
    (await begin('--gemm-variants', file)).said,
    'warning: --gemm-variants names products that this training does not have: linear 9x9x9',
  );
});

test('a file that holds no variants is refused before a GPU is opened', async () => {
  const file = join(folder, 'mine.json');
  for (const [text, message] of [
    [undefined, /--gemm-variants .*: no such file/],
    ['{', /--gemm-variants .*: .*JSON/],
    ['[]', /gemmVariants must be an object but is \[\]/],
    ['{"linear": {}}', /"linear" is \{\}; a class is named like "linear 128x128x512"/],
    [`{"${OF}": {"family": "magic"}}`, /the family must be one of subgroup, workgroup, plain/],
    [`{"${OF}": {"family": "toString"}}`, /the family must be one of/],
    [`{"${OF}": {"family": "plain", "tile": 7, "slices": 1}}`, /the tile of plain must be one of 32/],
    [`{"${OF}": {"family": "plain", "tile": 32, "slices": 0}}`, /slices must be a whole number from 1 to 65535/],
    [`{"${OF}": null}`, /is null; the family must be one of/],
  ] as const) {
    if (text !== undefined) writeFileSync(file, text);
    const { code, stderr, counts } = await begin('--gemm-variants', file);
    assert.is(code, 2, text);
    assert.match(stderr.text, message);
    assert.is(stderr.lines.length, 1);
    assert.is(counts().opened, 0);
  }
});

const interrupted = (out: string, fake: FakeOptions = {}) =>
  command(
    { interruptAt: { iteration: 25, signal: 'SIGTERM' }, ...fake },
    ...[...BASE, '--checkpoint-every', '10', '--out', join(folder, out)],
  );
const resume = (out: string, ...args: string[]) =>
  command({ variants: OTHER }, 'train', '--resume', join(folder, out), ...args);
const edit = (out: string, change: (config: Record<string, unknown>) => void) => {
  const config = configOf(out);
  change(config);
  writeFileSync(join(folder, out, 'config.json'), JSON.stringify(config));
};

test('a run that goes on has the variants that it began with; nothing is measured', async () => {
  await interrupted('run');
  assert.equal(configOf('run').gemmVariants, VARIANTS);
  // Whatever was chosen since.
  writeFileSync(kept(), JSON.stringify({ gemmVariants: OTHER }));
  const { code, tuned, trials, said } = await resume('run');
  assert.is(code, 0, said);
  assert.equal(tuned, []);
  assert.equal(trials[0]!.gemmVariants, VARIANTS);
  assert.equal(trials[0]!.settings.resume!.gemmVariants, VARIANTS);
});

test('also one that has no checkpoint yet', async () => {
  await interrupted('run');
  for (const name of readdirSync(join(folder, 'run')).filter((each) => each.startsWith('checkpoint')))
    rmSync(join(folder, 'run', name));
  const { tuned, trials, said } = await resume('run');
  assert.match(said, 'no checkpoint to go on from');
  assert.equal([tuned, trials[0]!.gemmVariants], [[], VARIANTS]);
});

test('a config that is not that of its checkpoint is refused with both variants', async () => {
  await interrupted('run');
  edit('run', (config) => Object.assign(config, { gemmVariants: { ...VARIANTS, ...OTHER } }));
  const { code, stderr } = await resume('run');
  assert.is(code, 2);
  assert.match(
    stderr.text,
    'the variant of linear 128x128x512 is workgroup, tile 64, 3 slices there but subgroup, tile 32, 1 slice in checkpoint-25.safetensors',
  );
});

test('a config with variants that are none is refused', async () => {
  await interrupted('run');
  edit('run', (config) => Object.assign(config, { gemmVariants: { [OF]: { family: 'magic', tile: 32, slices: 1 } } }));
  const { code, stderr } = await resume('run');
  assert.is(code, 2);
  assert.match(stderr.text, /config\.json.*variants of matrix products.*"linear 128x128x512" is \{"family":"magic"/);
});

test('a run begun before there were variants goes on by sizes alone', async () => {
  await interrupted('run', { variants: {} });
  edit('run', (config) => Reflect.deleteProperty(config, 'gemmVariants'));
  const { code, tuned, trials, said } = await resume('run');
  assert.is(code, 0, said);
  assert.equal([tuned, trials[0]!.gemmVariants], [[], {}]);
});

test('--gemm-variants beside --resume is refused', async () => {
  await interrupted('run');
  const { code, stderr } = await resume('run', '--gemm-variants', 'default');
  assert.is(code, 2);
  assert.match(stderr.text, '--gemm-variants is as config.json has it there but default here');
});

/** Asks a model that lies in a folder, beside a config.json if one is given. */
async function ask(name: string, config: string | undefined, ...args: string[]) {
  const run = join(folder, 'run');
  mkdirSync(run, { recursive: true });
  fakeModel(join(run, 'model.safetensors'));
  if (config !== undefined) writeFileSync(join(run, 'config.json'), config);
  return command({}, name, '--model', run, '--data', 'mnist', ...args);
}
const RUN = JSON.stringify({ padagrad: '0.1.0', gemmVariants: OTHER });

for (const name of ['eval', 'weights']) {
  test(`${name}: a model has the variants of its run; nothing is measured`, async () => {
    await begin();
    const { code, askedWith, tuned, stdout, said } = await ask(name, RUN, '--json');
    assert.is(code, 0, said);
    assert.equal([askedWith, tuned], [[OTHER], []]);
    assert.equal(stdout.events.at(-1).gemmVariants, OTHER);
    const file = join(folder, 'run', 'model.safetensors');
    assert.equal((await command({}, name, '--model', file, '--data', 'mnist')).askedWith, [OTHER]);
  });

  test(`${name}: a model without a run has those chosen on this device, if any were`, async () => {
    assert.equal((await ask(name, undefined)).askedWith, [{}]);
    await begin();
    const { askedWith, tuned, said } = await ask(name, undefined);
    assert.equal([askedWith, tuned], [[VARIANTS], []]);
    assert.not.match(said, 'matrix products');
    writeFileSync(kept(), '{');
    const damaged = await ask(name, undefined);
    assert.equal([damaged.code, damaged.askedWith], [0, [{}]]);
    assert.match(damaged.said, 'is not used, for it is damaged');
  });

  test(`${name}: --gemm-variants comes before the run's`, async () => {
    await begin();
    const file = join(folder, 'variants.json');
    writeFileSync(file, JSON.stringify(VARIANTS));
    for (const [which, expected] of [
      ['default', {}],
      ['tuned', VARIANTS],
      [file, VARIANTS],
    ] as const) {
      const { askedWith, tuned } = await ask(name, RUN, '--gemm-variants', which);
      assert.equal([askedWith, tuned], [[expected], []], which);
    }
    const { code, stderr, counts } = await ask(name, RUN, '--gemm-variants', join(folder, 'none'));
    assert.equal([code, counts().opened], [2, 0]);
    assert.match(stderr.text, /--gemm-variants .*none: no such file/);
  });

  test(`${name}: a model is asked in the precision of its run, or in the one that is said`, async () => {
    await begin();
    const inPrecision = (which: string) => JSON.stringify({ options: { float32MatmulPrecision: which } });
    const flag = '--float32-matmul-precision';
    assert.equal((await ask(name, inPrecision('medium'))).precisions, ['medium']);
    assert.equal((await ask(name, inPrecision('medium'), flag, 'highest')).precisions, ['highest']);
    assert.equal((await ask(name, RUN)).precisions, ['highest']);
    assert.equal((await ask(name, RUN, flag, 'medium')).precisions, ['medium']);
    const { code, stderr } = await ask(name, inPrecision('low'));
    assert.is(code, 2);
    assert.match(stderr.text, /float32MatmulPrecision must be one of highest, medium but is low/);
  });

  test(`${name}: what tells of no variants is by sizes; what cannot be read is refused`, async () => {
    await begin();
    for (const config of ['{"padagrad":"0.1.0"}', '{"architectures":["Net"]}', 'null'])
      assert.equal((await ask(name, config)).askedWith, [{}], config);
    const wrong = JSON.stringify({ gemmVariants: { [OF]: { family: 'magic', tile: 32, slices: 1 } } });
    for (const config of ['', '{"gemmVariants": {"lin', wrong, '{"gemmVariants": 3}']) {
      const { code, stderr, counts } = await ask(name, config);
      assert.equal([code, counts().opened], [2, 0], config);
      assert.is(stderr.lines.length, 1);
      assert.match(stderr.text, /config\.json, beside the model \(--gemm-variants default does without\): /);
      assert.is((await ask(name, config, '--gemm-variants', 'default')).code, 0);
    }
  });
}

test('the folder, by the system', () => {
  const at = (platform: string, env: Record<string, string>) => cacheFolderOf(env, platform, () => join('/', 'me'));
  assert.is(at('linux', {}), join('/', 'me', '.cache', 'padagrad'));
  assert.is(at('linux', { XDG_CACHE_HOME: '/elsewhere' }), join('/elsewhere', 'padagrad'));
  assert.is(at('linux', { XDG_CACHE_HOME: 'relative' }), join('/', 'me', '.cache', 'padagrad'));
  assert.is(at('darwin', {}), join('/', 'me', 'Library', 'Caches', 'padagrad'));
  assert.is(at('win32', { LOCALAPPDATA: 'L' }), join('L', 'padagrad', 'Cache'));
  assert.is(at('darwin', { PADAGRAD_CACHE_DIR: 'here' }), 'here');
  const homeless = () => {
    throw new Error('no home');
  };
  assert.is(cacheFolderOf({}, 'linux', homeless), null);
});

test.run();
