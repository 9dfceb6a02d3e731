// The page: its verdict, settings and worker; arguments of createGpu, kernels and tidy.
export default {
  'demo/page/verdict.ts': [
    ["if (method === 'pada') return weightedSince;", '', 'demo/state'],
    ['iteration > since', 'iteration >= 0 * since', 'demo/state'],
    ['rounds.length < AGREEING', 'rounds.length < 1', 'demo/state'],
    ['rounds.every(', 'rounds.slice(-1).every(', 'demo/state'],
    ['p - q > Z *', 'p - q >= 0 *', 'demo/state'],
    ['/ (n + 2));', '/ 1000);', 'demo/state'],
    ['inAll(absent, worst, best)', 'true', 'demo/state'],
    ['behind.length < going.length', 'false', 'demo/state'],
    ['(ended && evaluations.at(-1)!.iteration < wanted ? evaluations.at(-1) : undefined)', 'undefined', 'demo/state'],
  ],
  'demo/page/state.ts': [
    ['one.iteration > since', 'one.iteration > iteration', 'demo/state'],
    ['run.forgetSnapshots();', '{}', 'demo/state'],
    ["type === 'snapshots' && report.revision >= this.classesSince", "type === 'snapshots'", 'demo/state'],
    ["type === 'progress' && report.revision >= this.started", "type === 'progress'", 'demo/state'],
    ['report.drawing >= this.firstDrawing', 'true', 'demo/state'],
    ["restart || this.mode !== 'failed'", 'true', 'demo/state'],
    ['if (this.snapshot && this.snapshot.iteration > iteration) this.snapshot = undefined;', '', 'demo/state'],
    ['revision === this.revision', 'true', 'demo/state'],
  ],
  'demo/page/worker/runs.ts': [["...(method !== 'self-training' && { temperature }),", 'temperature,', 'demo/runner']],
  'demo/page/worker/run.ts': [
    [
      'inGeometry({ images, count: 1, channels, height, width }, this.geometry)',
      '{ images, count: 1, channels, height, width }',
      'demo/runner',
    ],
    ['this.checkFinite(seen.probabilities);', '', 'demo/runner'],
  ],
  'demo/page/worker/runner.ts': [
    ["what === 'change' ||", '', 'demo/runner'],
    ['otherClasses ? runs.iteration > 0 : ', '', 'demo/runner'],
    [
      'await next.open(await this.device(false));\n      runs.close();',
      'runs.close();\n      await next.open(await this.device(false));',
      'demo/runner',
    ],
  ],
  'demo/page/ownState.ts': [
    ["side === 'source') this.model", 'this.model) this.model', 'demo/own'],
    ['folder?.reading !== report.reading', 'folder === undefined', 'demo/own'],
    ['delete this.folders.source;', '', 'demo/own'],
  ],
  'demo/page/worker/decode.ts': [
    ['Math.max(...scales)', 'Math.min(...scales)', 'demo/own'],
    ['0.7152 *', '0.7 *', 'demo/own'],
  ],
  'demo/page/folder.ts': [['all.every(', 'all.some(', 'demo/own']],
  'demo/page/words.ts': [['absent.length === 0', 'absent.length !== 0', 'demo/parts']],
  'tools/pictures/pngText.mjs': [['-(crc & 1)', '(crc & 1)', 'demo/pictures']],
  'src/gemm/createGpu.ts': [["checkOptions('createGpu', options, checks);", '', 'gpu/gpu']],
  'src/random.ts': [["checkValue('permutation', 'n', n, wholeFrom(0));", '', 'random']],
  'src/tensor.ts': [['    this.gradient = null;\n    return gradient;', '    return gradient;', 'tensor']],
  'src/gpu/kernel.ts': [
    ["value !== (type === 'u32' ? value >>> 0 : value | 0)", '!Number.isInteger(value)', 'gpu/kernel'],
    ['Number.isSafeInteger(size) && size >= 0', 'size >= 0', 'gpu/kernel'],
  ],
};
