import * as assert from 'uvu/assert';
import type { Bench } from '../../bench/harness/case.ts';
import { ladderCells } from '../../bench/harness/report.ts';
import type { Row } from '../../bench/harness/row.ts';
import { Session } from '../../bench/harness/session.ts';
import { ladderConv2d } from '../../bench/ladder/conv2d/index.ts';
import { ladderMatmul } from '../../bench/ladder/matmul/index.ts';
import { ladderSoftmax } from '../../bench/ladder/softmax/index.ts';
import { singleFamily } from '../../src/gemm/settings.ts';
import { gpuTest, run } from '../harness.ts';

const LADDERS: [name: string, bench: Bench, least: number][] = [
  ['matmul', ladderMatmul, 5],
  ['softmax', ladderSoftmax, 3],
  ['conv2d', ladderConv2d, 3],
];

for (const [name, bench, least] of LADDERS) {
  gpuTest(`every rung of the ladder of ${name} gives the correct result`, async (gpu) => {
    const session = new Session(gpu, null, { seconds: 0, samples: 1 });
    const rows: Row[] = [];
    for (const one of bench({
      quick: true,
      software: true,
      gemmFamily: singleFamily(gpu),
      subgroupSize: gpu.subgroupSize,
    }))
      rows.push(await one.measure(session));
    session.dispose();
    assert.equal(
      rows.map(({ problem }) => problem),
      rows.map(() => undefined),
    );
    assert.ok(rows.length >= least && rows.length <= 7);
    assert.match(rows[0]!.kernel, '1 naive');
    assert.match(rows.at(-1)!.kernel, `${rows.length} shipped`);
    assert.equal(
      ladderCells(rows).map((cells) => cells[5] !== ''),
      rows.map((_, i) => i > 0),
      'each rung but the first has a gain over the previous one',
    );
  });
}

run();
