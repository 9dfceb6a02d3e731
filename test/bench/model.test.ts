import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { summary } from '../../bench/model/check.ts';
import { familyOf, kernelWork } from '../../bench/model/counts.ts';
import { DEVICES, deviceNamed, devicesOf } from '../../bench/model/devices.ts';
import { forecastAll, nextStep } from '../../bench/model/forecast.ts';
import { type Device, type KernelWork, peakGflops, predict, residentGroups } from '../../bench/model/predict.ts';
import { predictVariants } from '../../bench/model/variants.ts';
import { run } from '../harness.ts';

// Round numbers, so that times can be computed by hand.
const device: Device = {
  ...{ name: 'test', counts: 'navi31', units: 10, schedulers: 2, lanes: 32, fmaLanes: 32, otherLanes: 16, clockGhz: 1 },
  ...{ nearBytes: 64, cacheMib: 1, cacheGbps: 1000, memoryGbps: 100, memoryNs: 100, nearNs: 10 },
  ...{ registerKib: 64, residentLanes: 1024, workgroupKib: 64, launchUs: 5 },
};

const idle = { fma: 0, other: 0, memoryWords: 0, nearWords: 0, memoryWaits: 0, nearWaits: 0 };

const work: KernelWork = {
  ...{ workgroups: 10, invocations: 64, workgroupBytes: 32 * 1024, registerBytes: 128 },
  ...{ executed: { ...idle, fma: 8000, other: 1000 }, bytes: 0, footprint: 0 },
};

const close = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) <= 1e-9 * expected, `${actual} is not ${expected}`);

test('a kernel takes its launch and its slowest term, computed by hand', () => {
  // Two subgroups of 32 on two schedulers: 8000 cycles of multiply-adds and 2000 of other instructions, at 1 GHz.
  const { us, bound, terms, used } = predict(device, work);
  assert.is(us, 15);
  assert.is(bound, 'arithmetic');
  assert.is(terms.arithmetic, 10);
  assert.is(used, 1);
  // 64 invocations with 1000 words of 4 bytes at 64 bytes per cycle.
  assert.is(predict(device, { ...work, bytes: 500_000, footprint: 2 ** 30 }).us, 15);
  const near = { ...work, executed: { ...idle, nearWords: 1000 } };
  assert.is(predict(device, near).terms['near memory'], 4);
  assert.is(predict(device, near).us, 9);
  // 20 reads beyond the unit and 50 of workgroup memory.
  const waiting = { ...work, executed: { ...idle, memoryWaits: 20, nearWaits: 50 } };
  assert.is(predict(device, waiting).us, 5 + 2.5);
  assert.is(predict(device, waiting).bound, 'launch');
});

test('tensors come from the cache if it holds the whole step, else from memory', () => {
  const moving = { ...work, executed: { ...idle, memoryWords: 100 }, bytes: 200_000 };
  // 10 workgroups of 64 load 100 words: 256 kB at 1000 GB/s.
  assert.is(predict(device, { ...moving, footprint: 2 ** 20 }).terms.memory, 0.256);
  assert.is(predict(device, { ...moving, footprint: 2 ** 20 + 1 }).terms.memory, 2);
});

test('registers, lanes and workgroup memory limit the workgroups on a unit', () => {
  // Workgroup memory holds 2; 64 KiB of registers per scheduler hold 512 invocations of 128 bytes: 16 workgroups on both.
  assert.is(residentGroups(device, work), 2);
  assert.is(residentGroups(device, { ...work, workgroupBytes: 0 }), 16);
  assert.is(residentGroups(device, { ...work, workgroupBytes: 0, registerBytes: 16 }), 32);
  assert.is(residentGroups(device, { ...work, registerBytes: 1e9 }), 1);
  // A workgroup of one invocation takes a whole subgroup of 32 lanes.
  assert.is(residentGroups(device, { ...work, invocations: 1, workgroupBytes: 0, registerBytes: 16 }), 64);
});

test('one workgroup more than the units hold costs a whole round', () => {
  const times = [1, 10, 11, 20, 21].map((workgroups) => predict(device, { ...work, workgroups }).us - 5);
  assert.equal(times, [10, 10, 20, 20, 30]);
  assert.is(predict(device, { ...work, workgroups: 11 }).used, 11 / 20);
});

test('workgroups side by side hide latency, but not arithmetic', () => {
  const waiting = { ...work, workgroups: 20, executed: { ...idle, memoryWaits: 100 } };
  assert.is(predict(device, waiting).terms.latency, 10);
  assert.is(predict(device, { ...waiting, workgroupBytes: 64 * 1024 }).terms.latency, 20);
  assert.is(predict(device, { ...work, workgroups: 20, workgroupBytes: 64 * 1024 }).terms.arithmetic, 20);
});

test('a faster device is never slower, and an infinitely fast one takes the launch', () => {
  const [, wide] = forecastAll(device);
  const rates = ['fmaLanes', 'otherLanes', 'clockGhz', 'nearBytes', 'cacheGbps', 'memoryGbps'] as const;
  for (const rate of rates) {
    const [, faster] = forecastAll({ ...device, [rate]: 2 * device[rate] });
    assert.ok(faster!.us <= wide!.us, rate);
  }
  const endless = Object.fromEntries(rates.map((rate) => [rate, Number.POSITIVE_INFINITY]));
  for (const { us, dispatches } of forecastAll({ ...device, ...endless, memoryNs: 0, nearNs: 0 }))
    close(us, 5 * dispatches);
});

test('the multiply-adds that a GEMM executes are those of its tiles', () => {
  for (const name of ['navi31', 'dg2']) {
    const { pipelines, steps } = familyOf(name);
    const matmuls = Object.entries(steps).filter(([step]) => /^matmul \d+x\d+x\d+$/.test(step));
    assert.ok(matmuls.length >= 5);
    for (const [step, { works }] of matmuls) {
      const gemm = works[0]!;
      const kernel = pipelines[gemm.pipeline]!;
      const { workgroups, invocations, executed } = kernelWork(kernel, gemm, 0);
      // Rows and columns rounded up to whole tiles, k to whole rounds.
      const { rows, columns, step: most } = kernel.gemm!;
      const up = (size: number, by: number) => by * Math.ceil(size / by);
      const [m, k, n] = /(\d+)x(\d+)x(\d+)/.exec(step)!.slice(1).map(Number);
      const parts = workgroups / ((up(m!, rows) / rows) * (up(n!, columns) / columns));
      const expected = up(m!, rows) * up(n!, columns) * parts * up(gemm.k!, most);
      close(workgroups * invocations * executed.fma, expected);
      assert.ok(parts * gemm.k! >= k!);
      // Every round loads a tile of both operands, no word twice.
      const loaded = workgroups * invocations * (executed.memoryWords - kernel.once[2]!);
      if (step.endsWith('x1024')) close(loaded, workgroups * (rows + columns) * up(gemm.k!, most));
    }
  }
});

test('a GEMM whose inner loop is unrolled counts each invocation only for the blocks that it loads', () => {
  const shared = { lds: 16384, registerBytes: 512, once: [0, 100, 16, 4, 1] };
  const tile = { rows: 128, columns: 128, step: 16 };
  const unrolled = { ...shared, invocations: 256, gemm: tile, round: [1024, 60, 32, 288, 2] };
  const work = { pipeline: '', workgroups: 1, flops: 0, bytes: 0, k: 160 };
  // Ten rounds. Half the invocations load a block of A, the others one of B: 16 words, which they store in workgroup memory.
  const expected = { fma: 10240, other: 700, memoryWords: 16 + 160, nearWords: 4 + 10 * 272 };
  assert.equal(kernelWork(unrolled, work, 0).executed, { ...expected, memoryWaits: 11, nearWaits: 60 });
  // The same as a loop over 4 steps of k: its round is the whole without four turns of the inner loop.
  const looped = { ...unrolled, round: [0, 20, 32, 32, 2], inner: [256, 10, 0, 64, 0] };
  const { executed } = kernelWork(looped, work, 0);
  assert.equal([executed.fma, executed.memoryWords], [expected.fma, expected.memoryWords]);
  assert.equal([executed.memoryWaits, executed.nearWaits], [11, 60]);
  // 64 invocations load a block of each operand, and only wait for the first tile.
  const small = { ...unrolled, invocations: 64, gemm: { ...tile, rows: 64, columns: 64 } };
  const { memoryWords, memoryWaits } = kernelWork(small, work, 0).executed;
  assert.equal([memoryWords, memoryWaits], [16 + 320, 2]);
  // With 4 x 4 sums every tile is waited for.
  const few = { ...small, gemm: { ...tile, rows: 32, columns: 32, step: 32 } };
  assert.is(kernelWork(few, work, 0).executed.memoryWaits, 6);
});

test('every device has a prediction of every recorded step, and says what to do next', () => {
  for (const one of DEVICES) {
    const all = forecastAll(one);
    assert.ok(['cnn-step', 'pada-step'].every((name) => all.some(({ step }) => step === name)));
    for (const forecast of all) {
      const { us, byTerm, percentOfPeak, dispatches } = forecast;
      assert.ok(byTerm.launch! >= dispatches * one.launchUs * (1 - 1e-9));
      close(
        Object.values(byTerm).reduce((sum, part) => sum + part, 0),
        us,
      );
      assert.ok(percentOfPeak === null || (percentOfPeak > 0 && percentOfPeak <= 100), `${one.name} ${forecast.step}`);
      assert.match(
        nextStep(forecast),
        /^(Launch|Latency|Arithmetic|Near memory|Memory) takes \d+ % of the time\. \w.*\.$/,
      );
    }
  }
});

test('devices are those of the data sheets, found by a part of their names', () => {
  const peaks = { 'RX 7900 XTX': 61.4, 'Arc A770': 19.7, H100: 67, 'RTX 4090': 82.6, M2: 3.6, 'Adreno 740': 2.1 };
  for (const [name, tflops] of Object.entries(peaks)) {
    const [found] = devicesOf(name.toLowerCase());
    assert.ok(Math.abs(peakGflops(found!) / 1e3 / tflops - 1) < 0.02, name);
  }
  assert.equal(
    devicesOf('rtx4090').map(({ name }) => name),
    ['RTX 4090'],
  );
  assert.is(deviceNamed('Intel(R) Arc(tm) A770 Graphics (DG2)').name, 'Arc A770');
  assert.throws(() => deviceNamed('Voodoo 2'), /no numbers are known for Voodoo 2; add a device/);
  assert.throws(() => devicesOf('Voodoo'), /--model Voodoo: known are RX 7900 XTX, Arc A770/);
});

test('the table of GEMM variants has a predicted time for its choice, and none is below the fastest', () => {
  for (const one of DEVICES)
    for (const { shape, choiceUs, fastestUs } of predictVariants(one))
      assert.ok(fastestUs > one.launchUs && fastestUs <= choiceUs && choiceUs < 1e6, `${one.name} ${shape}`);
});

test('a comparison says how far predictions are off in ratio, and whether they sort the kernels', () => {
  const row = (kernel: string, predicted: number, measured: number) => ({
    ...{ step: 's', bound: 'memory' as const },
    kernel,
    predicted,
    measured,
  });
  const rows = [row('a.gemm', 10, 20), row('b.gemm', 30, 60), row('c', 40, 20), row('d', 8, 64), row('e', 90, 180)];
  const [first, all, gemms, others, rank] = summary(rows);
  assert.match(first!, /: 0.500 in the median of 5 kernels/);
  assert.match(all!, /\(5\): 1.00x in the median, .* 4.00x at most/);
  assert.match(gemms!, /\(2\): 1.00x in the median, .* 1.00x at most/);
  assert.match(others!, /\(3\): 4.00x in the median, .* 4.00x at most/);
  // Ranks 2 3 4 1 5 and 1 3 2 4 5 (of equal times the earlier is first): 1 - 6 (1 + 0 + 4 + 9 + 0) / 120.
  assert.match(rank!, /: 0.30$/);
});

run();
