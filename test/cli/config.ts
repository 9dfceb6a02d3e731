// A config.json as runs write it, for tests of the folder of a run and of its reader.
import type { RunConfig } from '../../src/cli/run/config.ts';
import { defaultRunOptions } from '../../src/train/methods/named.ts';

export const CONFIG: RunConfig = {
  padagrad: '0.1.0',
  task: {
    source: 'mnist',
    target: 'mnist',
    sourceClasses: null,
    targetClasses: null,
    sourceLimit: null,
    targetLimit: null,
    sourceTest: null,
    targetTest: null,
    ...{ imageSize: null, resize: null, channels: null, skipUnreadable: null, labels: null, labelColumn: null },
    ...{ root: null, standardize: null },
    arch: 'smallCnn',
    weights: null,
    numClasses: 10,
  },
  options: defaultRunOptions,
  watch: { printFreq: null, evalFreq: 0, checkpointEvery: 10, perClassEval: false },
  data: { source: '', target: '' },
  device: {
    vendor: '',
    architecture: '',
    device: 'test',
    description: '',
    software: true,
    gemmFamily: 'plain',
    subgroupSize: 0,
  },
};
