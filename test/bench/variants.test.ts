import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { kernelCase } from '../../bench/harness/case.ts';
import { uniform } from '../../bench/harness/inputs.ts';
import { measureVariants, subjectsOf, VARIANT_COLUMNS, variantCells } from '../../bench/variants.ts';
import * as reference from '../../reference/index.ts';
import { createGpu } from '../../src/gemm/createGpu.ts';
import { traitsOf } from '../../src/gemm/settings.ts';
import { type GemmVariant, listVariants } from '../../src/gemm/variants.ts';
import { matmul } from '../../src/ops/matmul.ts';
import { gpuTest, run } from '../harness.ts';

const [m, k, n] = [8, 40, 12];

/** A small matrix multiplication, verified against itself or against wrong numbers. */
const small = (isRight: boolean) =>
  kernelCase({
    bench: 'matmul',
    shape: `${m}x${k}x${n}`,
    inputs: () => ({ a: uniform([m, k]), b: uniform([k, n], { seed: 2 }) }),
    run: ({ a, b }) => [matmul(a, b)],
    truth: ({ a, b }) => [isRight ? reference.matmul(a, b).data : new Float64Array(m * n)],
  });

gpuTest('every variant of a shape is verified and timed once, and the regret compares the choice', async (gpu) => {
  const told: unknown[] = [];
  const twice = subjectsOf([small(true), small(true)]);
  const rows = await measureVariants(gpu, twice, { onRow: (row) => told.push(row) });
  assert.is(rows.length, 1);
  assert.equal(told, rows);
  const [row] = rows;
  const variants = listVariants(traitsOf(gpu), m, n, k);
  assert.equal(
    row!.variants.map(({ variant }) => variant),
    variants,
  );
  assert.equal([row!.name, row!.m, row!.n, row!.k, row!.choice], ['matmul', m, n, k, variants[0]]);
  assert.ok(row!.variants.every(({ ms }) => ms! >= row!.fastestMs!));
  assert.is(row!.regret, row!.choiceMs! / row!.fastestMs! - 1);
  assert.is(variantCells(row!).length, VARIANT_COLUMNS.length);
});

gpuTest('a variant with a wrong result is not timed', async (gpu) => {
  const [row] = await measureVariants(gpu, subjectsOf([small(false)]));
  assert.ok(row!.variants.every(({ ms, problem }) => ms === null && /^element 0 is /.test(problem!)));
  assert.equal([row!.choiceMs, row!.fastestMs, row!.regret], [null, null, null]);
});

test('only the variants whose kernel is wrong or does not compile have no time', async () => {
  // The tiles in workgroup memory.
  const [from, wrong, nonsense] = ['vec4<Element>(a[i])', 'vec4<Element>(-a[i])', 'nonsense'];
  for (const [to, problem] of [
    [wrong, /^element \d+ is /],
    [nonsense, /nonsense/],
  ] as const) {
    const gpu = await createGpu();
    const create = gpu.native.createShaderModule.bind(gpu.native);
    gpu.native.createShaderModule = ({ code, ...rest }) => create({ ...rest, code: code.replaceAll(from!, to!) });
    const [row] = await measureVariants(gpu, subjectsOf([small(true)]));
    const isTiled = ({ variant }: { variant: GemmVariant }) => variant.family === 'workgroup';
    const [tiled, others] = [true, false].map((tiles) => row!.variants.filter((one) => isTiled(one) === tiles));
    assert.ok(tiled!.length > 0 && others!.length > 0);
    for (const { ms, problem: found } of tiled!) assert.ok(ms === null && problem.test(found!), `${ms} ${found}`);
    for (const { ms, problem: found } of others!) assert.ok(ms! > 0, found);
    gpu.dispose();
  }
});

run();
