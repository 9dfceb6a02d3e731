// The command line.
export default {
  'src/cli/run/folder.ts': [
    ['    removeCheckpoints(this.path);\n', '', 'cli/runFolder'],
    ['      this.withRoom(() => this.metrics!.sync());\n      const', '      const', 'cli/runFolder'],
    ['!isFull(cause) ||', 'isFull(cause) ||', 'cli/runFolder'],
    ['this.newest ? [this.newest] : []', '[]', 'cli/runFolder'],
    ['this.newest = found?.name;', '', 'cli/runFolder'],
    ['iterations < iteration', 'iterations > iteration', 'cli/keep'],
    ['[LOCK, CONFIG, METRICS, MODEL, REPORT]', '[CONFIG]', 'cli/runFolder'],
    ['this.metrics!.add([result]);', '', 'cli/runFolder'],
    ['this.failing = true;', '', 'cli/runFolder'],
    ['    this.failing = false;\n', '', 'cli/runFolder'],
    [' || row.aborted !== false', '', 'cli/keep'],
  ],
  'src/cli/run/htmlReport.ts': [
    ["replaceAll('<', '\\\\u003c')", "replaceAll('<', '<')", 'cli/train'],
    ['column = x * block', 'column = x', 'cli/train'],
    ['(i * data.count) / n', 'i', 'cli/train'],
  ],
  'src/cli/run/files.ts': [
    ['quietly(() => removeFile(temporary));', '', 'cli/runFolder'],
    ['      fsyncSync(file);\n', '', 'cli/runFolder'],
    ['quietly(() => realpathSync(path)) ?? path', 'path', 'cli/runFolder'],
    ["otherThanFile(place) === 'a device or a pipe'", 'false', 'cli/runFolder'],
    ['  syncFolder(folder);\n', '', 'cli/runFolder'],
    ['if (existsSync(path)) return;\n    const', 'const', 'cli/runFolder'],
  ],
  'src/cli/run/lock.ts': [
    ['if (read(aside) !== found)', 'if (read(aside) === found)', 'cli/runFolder'],
    ['if (read(aside) !== found)', 'if (false)', 'cli/runFolder'],
    ['if (read(lock) === own) rmSync', 'rmSync', 'cli/runFolder'],
    ['read(lock) === own', 'read(lock) !== own', 'cli/runFolder'],
    ['start === (startOf(pid) ?? start)', 'true', 'cli/keep'],
  ],
  'src/cli/run/checkpoints.ts': [
    [' || error instanceof UsageError', '', 'cli/runFolder'],
    ['.filter((path) => !lstatSync(path).isDirectory())', '', 'cli/runFolder'],
  ],
  'src/cli/run/metricsFile.ts': [
    ['iterations++', 'iterations', 'cli/keep'],
    ["if (!before || extra || row.event === 'result')", "if (!before || row.event === 'result')", 'cli/keep'],
  ],
  'src/cli/run/config.ts': [
    ['orNull(wholeFrom(1)), evalFreq', 'orNull(wholeFrom(0)), evalFreq', 'cli/keep'],
    ["    require('options', config.options,", "    require('options', defaultRunOptions,", 'cli/keep'],
    ['    .filter(([name]) => !CHANGEABLE.includes(name))\n', '', 'cli/keep'],
    ['checksumOf(data[side]) !== config.data[side]', 'false', 'cli/keep'],
  ],
  'src/cli/run/job.ts': [
    ['task.numClasses !== config.task.numClasses', 'false', 'cli/keep'],
    ['record ? (record.standardize ?? null) : isTorchvision', 'isTorchvision', 'cli/folders'],
  ],
  'src/cli/run/side.ts': [
    ['n === undefined ? data', 'true ? data', 'cli/train'],
    ['whole && (await select(testTitle, names ? whole : named(whole, all), classes))', 'whole', 'cli/train'],
    ['return names ? matchClasses(data, names) : data;', 'return data;', 'cli/folders'],
    ["side === 'source' ? ", 'true ? ', 'cli/folders'],
    ['mayLackLabels: true', 'mayLackLabels: false', 'cli/folders'],
  ],
  'src/train/labelTable.ts': [['row[c]! > row[second]!', 'row[c]! < row[second]!', 'cli/folders']],
  'src/cli/commands/predict.ts': [
    ['constants.COPYFILE_EXCL', '0', 'cli/folders'],
    ["csv === '-' || ", '', 'cli/folders'],
    [" || csv === '/dev/stdout'", '', 'cli/folders'],
  ],
  'src/cli/flags.ts': [
    ['!kinds.some((kind) => readers.includes(kind))', 'false', 'cli/folders'],
    ["      .conflicts('seed'),", ',', 'cli/mistakes'],
  ],
  'src/cli/flagValues.ts': [
    ["text.trim() === ''", "text === ''", 'cli/mistakes'],
    [' && before !== text', '', 'cli/mistakes'],
    ['if (meant) return', 'if (!meant) return', 'cli/mistakes'],
  ],
  'src/cli/model.ts': [
    ['Math.fround(x)', 'x', 'cli/eval'],
    ['  checkFinite(model);\n', '', 'cli/eval'],
    ["?.options?.float32MatmulPrecision ?? 'highest'", '?.options?.float32MatmulPrecision', 'cli/eval'],
  ],
  'src/cli/decode.ts': [
    [', limitInputPixels', '', 'data/readers/images'],
    ["depth !== 'uchar' && depth !== 'ushort'", 'false', 'data/readers/images'],
  ],
  'src/cli/data.ts': [
    ['above.includes(place)', 'above.length > 1', 'cli/data'],
    ["names = readdirSync(folder).filter((name) => !name.startsWith('.'))", 'names = readdirSync(folder)', 'cli/data'],
    ['if (others.length > 0)', 'if (others.length > 1)', 'cli/data'],
    ['if (empty.length > 0)', 'if (empty.length > 1)', 'cli/data'],
  ],
  'src/cli/run/dataChecks.ts': [['if (classes || absent', 'if (absent', 'cli/folders']],
  'src/data/readers/csv.ts': [
    ['names.every(isNumber) && ', 'false && ', 'data/readers/csv'],
    ['!names.every((name, i) => name === String(i))', 'true', 'data/readers/csv'],
    ["fields[labelAt]?.trim() === ''", 'false', 'data/readers/csv'],
    ['labelAt < names.lastIndexOf', 'labelAt > names.lastIndexOf', 'data/readers/csv'],
  ],
  'src/train/modelFile.ts': [
    ['record?.standardize ? standardize(data, record.standardize) : data', 'data', 'cli/folders'],
  ],
  'src/cli/commands/eval.ts': [
    ['    await classWeightOf(gpu, saved, { examples: limit(examples, BATCH), temperature: 1 });\n', '', 'cli/eval'],
  ],
  'src/cli/commands/doctor.ts': [['      await selfTest(gpu);\n', '', 'cli/doctor']],
  'src/cli/commands/start.ts': [
    ['isChosen || !isSlow ||', 'isChosen ||', 'cli/start'],
    ['/ seconds / 100', '/ seconds / 1000', 'cli/start'],
  ],
  'src/cli/commands/train.ts': [
    ['        return EXIT.ok;\n', '', 'cli/keep'],
    ['  removeFile(join(out, MODEL));\n', '', 'cli/select'],
  ],
  'src/cli/run/runJob.ts': [
    ['!event.classWeight.every(Number.isFinite)', 'false', 'cli/keep'],
    ['    interrupt.dispose();\n', '', 'cli/train'],
    ['      if (interrupt.signal.aborted) break;\n', '', 'cli/train'],
    [' || signal.aborted);', ');', 'cli/train'],
    ['for (const opened of gpus.slice(1)) opened.dispose();', '', 'cli/keep'],
  ],
  'src/cli/run/selection.ts': [
    ['sourceTest: job.sourceTest ?? source', '', 'cli/select'],
    ['a === b || FREE', 'FREE', 'cli/select'],
    ['most - targetAccuracy', 'targetAccuracy - most', 'cli/select'],
  ],
  'src/cli/run/analysis.ts': [
    ['certainty(b) - certainty(a)', 'certainty(a) - certainty(b)', 'cli/analyse'],
    ['truths[i]! * numClasses + label', 'label * numClasses + truths[i]!', 'cli/analyse'],
  ],
  'src/cli/commands/analyse.ts': [
    ['flags[side] !== undefined && flags[side] !== began[side]', 'false', 'cli/analyse'],
    ['chance > CHANCE', 'false', 'cli/analyse'],
  ],
  'src/cli/show/svg.ts': [['i < sources === isSource', 'isSource', 'cli/analyse']],
  'src/cli/show/report.ts': [
    ['now() >= next', 'now() > next', 'cli/compiling'],
    ['given && compiled', 'compiled', 'cli/compiling'],
    ['    if (isLast) return;\n', '', 'cli/train'],
  ],
  'src/cli/padagrad.ts': [
    ['process.exit(EXIT.failed)', 'process.exit(0)', 'cli/program'],
    ["error.code === 'EPIPE'", 'error.code', 'cli/program'],
  ],
};
