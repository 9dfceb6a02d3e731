// The bench and the tools. One edit per entry: `from` occurs exactly once in `file`; with `to` instead one of `tests` must fail.
const edit = (file, from, to, ...tests) => ({ file, from, to, tests });
const model = (name, ...rest) => edit(`bench/model/${name}.ts`, ...rest, 'bench/model');
const harness = (name, ...rest) => edit(`bench/harness/${name}.ts`, ...rest);

export default [
  harness('case', 'if (problem) return failedRow(', 'if (!problem) return failedRow(', 'bench/harness'),
  harness('openCase', 'if (problem) return results', 'if (!problem) return results', 'bench/harness'),
  harness('stepCase', 'if (problem) return failedRow(head, problem);', '', 'bench/harness'),
  harness('session', ' * (place - Math.floor(place))', '', 'bench/report'),
  harness('inputs', '- 8) / 8', '- 8) / 7', 'bench/report'),
  harness('report', 'ratio > 1.1 &&', 'ratio > 1.6 &&', 'bench/report'),
  harness('recording', 'return `{\\n${parts', 'return `{ \\n${parts', 'bench/report'),
  harness('suite', 'await gpu.idle().catch', 'gpu.idle().catch', 'bench/variants'),
  harness(
    'inputs',
    'whole.set(data.subarray(0, length - at), at)',
    'whole.set(data.subarray(0, length - at), 0)',
    'bench/report',
  ),
  edit('tools/page/build.mjs', "replace(/\\.git$/, '') ?? null", '?? null', 'tools/servePage'),
  harness('suite', 'bench === name ||', 'bench === name &&', 'bench/report'),
  model('predict', 'Math.ceil(workgroups / units)', '(workgroups / units)'),
  model('predict', 'launchUs + Math.max(unit, memory)', 'launchUs + unit + memory'),
  model('predict', 'isCached ? 0 : bytes', 'isCached ? bytes : 0'),
  model('counts', 'rounds * carried', 'rounds'),
  model('counts', '(rounds * step * elements) / innerFma!', '(rounds * elements) / innerFma!'),
  model('forecast', "spend('launch', device.launchUs)", "spend('memory', device.launchUs)"),
  model('check', '* squares', '* 2 * squares'),
  edit('bench/ladder/matmul/registers.wgsl', 'left * b3', 'left * b2', 'bench/ladder'),
  edit('bench/ladder/matmul/tiles.wgsl', 'tileB[i][local.x]', 'tileB[local.x][i]', 'bench/ladder'),
  edit('tools/test/runFile.mjs', "problems.push('has no tests')", '0', 'tools/runner'),
  edit('tools/test/runFile.mjs', 'if (!closing && !problem)', 'if (false)', 'tools/runner'),
  edit('tools/test/runAll.mjs', 'return failed === 0 && passed > 0', 'return passed > 0', 'tools/runner'),
  edit('tools/setup/install.mjs', ' || found.integrity !== integrity', '', 'tools/setup'),
  edit('tools/setup/lock.mjs', '!isAlive(holder)', 'isAlive(holder)', 'tools/setup'),
  edit('src/cli/setup/process.mjs', 'tail.startsWith(NOISE_BEGINS) || ', '', 'tools/setup'),
  edit('src/gpu/instance.node.ts', 'if (permission)', 'if (false)', 'gpu/instance.node'),
  edit('package.json', '"deno": "./dist/index.js"', '"deno": "./dist/node/index.js"', 'package/files'),
  edit('src/cli/bin.ts', 'adapterSetUp()', '{}', 'package/command'),
  edit('tools/importGraph.mjs', 'low.get(file) < order.get(file)', 'low.get(file) <= order.get(file)', 'conformance'),
];
