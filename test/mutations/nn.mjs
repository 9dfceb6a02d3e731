// Edits that a test must notice. `from` occurs exactly once in `file`; after replacing it with `to`, one of `tests` must fail.
const source = (name, from, to, ...tests) => ({ file: `src/${name}.ts`, from, to, tests });

export default [
  source('nn/module', '&& this.#parameterNames.has(field)', '&& false', 'nn/hidden'),
  source('data/sampler', "checkValue('sampler', 'data', data, dataset);", '', 'data/dataset'),
  source('gpu/scalar', 'if (new.target === Counter) checkCount(value);', '', 'optim/options'),
  source('optim/schedule', "checkValue('InverseDecay', 'optimizer', optimizer, anOptimizer);", '', 'optim/options'),
  source('tensor', 'if (!(held instanceof Storage))', 'if (false)', 'tensor'),
  source('autograd', "refuseUncallable('noGrad', fn);", '', 'autograd'),
  // Streams of dropout.
  source('nn/dropout', '++seedless', 'seedless', 'nn/layers'),
  source('nn/dropout', ', 0x9e3779b9) >>> 0', ', 1) >>> 0', 'nn/layers'),
  source('nn/dropout', 'new CountedScalar((n) => n, false)', 'new CountedScalar(() => seed, false)', 'nn/layers'),
  source('nn/dropout', '{ persistent: false, optional: true }', '{ persistent: false }', 'nn/layers'),
  // Modules and parameters in fields.
  source('nn/parts', 'Array.isArray(value) || value instanceof Map', 'value instanceof Map', 'nn/parts'),
  source('nn/parts', 'if (value instanceof Set) return [...value].entries();', '', 'nn/parts'),
  source('nn/parts', 'prototype === null || prototype === Object.prototype', 'prototype === null', 'nn/parts'),
  source('nn/module', 'part.requiresGrad && !part.node', 'part.requiresGrad', 'nn/parts'),
  source('nn/module', 'if (around.includes(this))', 'if (around.length > 9)', 'nn/parts'),
  source('nn/module', 'if (places.has(full))', 'if (!full)', 'nn/parts'),
  source('nn/sequential', "name.replace(/^layers\\./, '')", 'name', 'nn/parts'),
  // Hidden parts.
  source('nn/module', 'if (lost.length > 0)', 'if (lost.length > 99)', 'nn/hidden'),
  source('nn/module', 'part.requiresGrad && !part.isDisposed ? ', '!part.isDisposed ? ', 'nn/hidden'),
  source('nn/module', 'part.#buffers.size > 0 && ', '', 'nn/hidden'),
  source('nn/construction', '      construction.hidden();\n', '', 'nn/hidden'),
  source(
    'nn/construction',
    '      running.pop();\n',
    '      return void construction.unseen.add(part);\n',
    'nn/hidden',
  ),
  source('nn/running', 'if (x.gradSlot || ', 'if (', 'nn/hidden'),
  source('nn/running', 'x.version.made > running[0]!.since', 'false', 'nn/hidden'),
  source('nn/running', 'if (given.version === x.version) return;', '', 'nn/hidden'),
  source('nn/running', 'for (const { module } of running) modulesOf(module);', '', 'nn/parts'),
  source('nn/module', 'checkListed(this, () => this.#listed);', '', 'nn/hidden'),
  source('autograd', 'if (x.requiresGrad && !x.node) leafWatcher(name, x);', '', 'nn/hidden'),
  source('nn/batchNorm', ' && !this.frozen', '', 'nn/layers'),
  source('nn/batchNorm', 'part.frozen = frozen', 'part.frozen = true', 'nn/layers'),
  source('models/resnet', 'i > 0 && k === 0', 'i > 0', 'golden'),
  source('models/resnet', 'this.maxpool.forward(y, { relu: true })', 'this.maxpool.forward(y)', 'golden'),
  // Fusion.
  source('nn/sequential', 'return object?.forward === layer.unwatchedForward;', 'return true;', 'nn/sequential'),
  source(
    'nn/sequential',
    'layer instanceof ReLU && layer.unwatchedForward === ReLU.prototype.forward',
    'layer instanceof ReLU',
    'nn/sequential',
  ),
  source('nn/module', 'this.#watched.written() : this.forward', 'this.forward : this.forward', 'nn/sequential'),
  source('nn/module', 'own ?? Object.getPrototypeOf(this).forward', 'Object.getPrototypeOf(this).forward', 'nn/parts'),
  // Modes.
  source('nn/mode', '!isEvaluating() && ', '', 'adaptation/evalMode'),
  source('ops/shared/evaluation', '    evaluating = before;', '', 'adaptation/evalMode'),
  source(
    'ops/shared/evaluation',
    'if (evaluating)\n',
    'if (!evaluating)\n',
    'adaptation/evalMode',
    'ops/dropout [adapter]',
  ),
  source('gpu/recording', 'this.isRead && get() !== entry', 'get() !== entry', 'nn/mode'),
  source('gpu/recording', 'this.isRead ||= !this.isSet', 'this.isRead = true', 'nn/mode'),
  source('gpu/recording', 'if (this.isSet) set(exit);', '', 'nn/mode'),
  // States.
  source('nn/stateDict', 'optional || state.has(name)', 'state.has(name)', 'nn/module'),
  source(
    'nn/stateDict',
    'return { missingKeys, unexpectedKeys };',
    'return { missingKeys: [], unexpectedKeys };',
    'nn/module',
  ),
  source('nn/stateDict', 'if (data.length !== sizeOf(given))', 'if (!data)', 'nn/module'),
];
