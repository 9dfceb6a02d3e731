// The bench and the tools.
export default {
  'bench/harness/case.ts': [['if (problem) return failedRow(', 'if (!problem) return failedRow(', 'bench/harness']],
  'bench/harness/openCase.ts': [['if (problem) return results', 'if (!problem) return results', 'bench/harness']],
  'bench/harness/stepCase.ts': [['if (problem) return failedRow(head, problem);', '', 'bench/harness']],
  'bench/harness/session.ts': [[' * (place - Math.floor(place))', '', 'bench/report']],
  'bench/harness/inputs.ts': [
    ['- 8) / 8', '- 8) / 7', 'bench/report'],
    ['whole.set(data.subarray(0, length - at), at)', 'whole.set(data.subarray(0, length - at), 0)', 'bench/report'],
  ],
  'bench/harness/report.ts': [['ratio > 1.1 &&', 'ratio > 1.6 &&', 'bench/report']],
  'bench/harness/recording.ts': [['return `{\\n${parts', 'return `{ \\n${parts', 'bench/report']],
  'bench/harness/suite.ts': [
    ['await gpu.idle().catch', 'gpu.idle().catch', 'bench/variants'],
    ['bench === name ||', 'bench === name &&', 'bench/report'],
  ],
  'tools/page/build.mjs': [["replace(/\\.git$/, '') ?? null", '?? null', 'tools/servePage']],
  'bench/model/predict.ts': [
    ['Math.ceil(workgroups / units)', '(workgroups / units)', 'bench/model'],
    ['launchUs + Math.max(unit, memory)', 'launchUs + unit + memory', 'bench/model'],
    ['isCached ? 0 : bytes', 'isCached ? bytes : 0', 'bench/model'],
  ],
  'bench/model/counts.ts': [
    ['rounds * carried', 'rounds', 'bench/model'],
    ['(rounds * step * elements) / innerFma!', '(rounds * elements) / innerFma!', 'bench/model'],
  ],
  'bench/model/forecast.ts': [["spend('launch', device.launchUs)", "spend('memory', device.launchUs)", 'bench/model']],
  'bench/model/check.ts': [['* squares', '* 2 * squares', 'bench/model']],
  'bench/ladder/matmul/registers.wgsl': [['left * b3', 'left * b2', 'bench/ladder']],
  'bench/ladder/matmul/tiles.wgsl': [['tileB[i][local.x]', 'tileB[local.x][i]', 'bench/ladder']],
  'tools/test/runFile.mjs': [
    ["problems.push('has no tests')", '0', 'tools/runner'],
    ['if (!closing && !problem)', 'if (false)', 'tools/runner'],
  ],
  'tools/test/runAll.mjs': [['return failed === 0 && passed > 0', 'return passed > 0', 'tools/runner']],
  'tools/soak/report.mjs': [
    ['failed === 0 && passed > 0', 'failed === 0', 'tools/soak'],
    ["strict && outcome.verdict === 'skipped'", 'false', 'tools/soak'],
  ],
  'tools/setup/install.mjs': [[' || found.integrity !== integrity', '', 'tools/setup']],
  'tools/setup/lock.mjs': [['!isAlive(holder)', 'isAlive(holder)', 'tools/setup']],
  'src/cli/setup/process.mjs': [['tail.startsWith(NOISE_BEGINS) || ', '', 'tools/setup']],
  'src/gpu/instance.node.ts': [['if (permission)', 'if (false)', 'gpu/instance.node']],
  'package.json': [['"deno": "./dist/index.js"', '"deno": "./dist/node/index.js"', 'package/files']],
  'src/cli/bin.ts': [['adapterSetUp()', '{}', 'package/command']],
  'tools/importGraph.mjs': [['low.get(file) < order.get(file)', 'low.get(file) <= order.get(file)', 'conformance']],
};
