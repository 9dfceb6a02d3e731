import { Parameter } from '../../src/nn/parameter.ts';
import { InverseDecay, Sgd } from '../../src/optim/index.ts';
import type { GoldenRunner } from './format.ts';

/** Learning rates of groups with multipliers, at the iterations that the file names. */
export const lrSchedule: GoldenRunner = (gpu, { params, outputs }) => {
  const { lr, gamma, decay, base_lrs: multipliers } = params;
  const groups = (multipliers as number[]).map((lrMultiplier) => ({
    params: [new Parameter(gpu, new Float32Array(1), [1])],
    lrMultiplier,
  }));
  const optimizer = new Sgd(groups, { lr });
  const schedule = new InverseDecay(optimizer, { lr, gamma, decay });
  const rows = (outputs.iteration_and_lrs as number[][]).map(([iteration]) => {
    schedule.iteration = iteration!;
    return [schedule.iteration, ...optimizer.groups.map(({ lrMultiplier }) => lrMultiplier * optimizer.lr.value)];
  });
  optimizer.dispose();
  for (const { params } of groups) params[0]!.dispose();
  return { outputs: { iteration_and_lrs: rows } };
};
