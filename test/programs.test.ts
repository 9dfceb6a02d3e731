import * as assert from 'uvu/assert';
import { env } from './files.ts';
import { assertSameBits, gpuTest, run } from './harness.ts';
import { runProgram } from './programs.ts';

const PROGRAMS = Number(env('PADAGRAD_PROGRAMS') ?? 200);

gpuTest(`${PROGRAMS} random programs give the same bits captured and eager, or throw`, async (gpu) => {
  let whole = 0;
  for (let seed = 0; seed < PROGRAMS; seed++) {
    const eager = await runProgram(gpu, seed, false);
    const captured = await runProgram(gpu, seed, true);
    // A captured program may end early with an error that says why. Its results until then must be right.
    if (!captured.error) {
      assert.is(eager.error?.message, undefined, `program ${seed}: only the eager program throws`);
      assert.is(captured.seen.length, eager.seen.length, `program ${seed}: as many results`);
      whole++;
    }
    for (const [i, { what, data }] of captured.seen.entries()) {
      assert.is(what, eager.seen[i]?.what, `program ${seed}: result ${i}`);
      assertSameBits(`program ${seed}: ${what}`, data, eager.seen[i]!.data);
    }
    // A step without gradients is refused in both.
    if (captured.error?.message.startsWith('step: ')) {
      assert.is(eager.error?.message, captured.error.message, `program ${seed}: only the captured program throws`);
      assert.is(captured.seen.length, eager.seen.length, `program ${seed}: as many results`);
      continue;
    }
    const message = captured.error?.message ?? 'run: ';
    assert.match(message, /^(run|capture): /, `program ${seed} ends with an error of captures`);
  }
  assert.ok(whole > PROGRAMS / 3, `${whole} of ${PROGRAMS} programs run to their end when captured`);
});

run();
