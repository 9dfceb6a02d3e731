// Layers and modules.
export default {
  'src/nn/module.ts': [
    ['&& this.#parameterNames.has(field)', '&& false', 'nn/hidden'],
    ['part.requiresGrad && !part.node', 'part.requiresGrad', 'nn/parts'],
    ['if (around.includes(this))', 'if (around.length > 9)', 'nn/parts'],
    ['if (places.has(full))', 'if (!full)', 'nn/parts'],
    ['if (lost.length > 0)', 'if (lost.length > 99)', 'nn/hidden'],
    ['part.requiresGrad && !part.isDisposed ? ', '!part.isDisposed ? ', 'nn/hidden'],
    ['part.#buffers.size > 0 && ', '', 'nn/hidden'],
    ['checkListed(this, () => this.#listed);', '', 'nn/hidden'],
    ['this.#watched.written() : this.forward', 'this.forward : this.forward', 'nn/sequential'],
    ['own ?? Object.getPrototypeOf(this).forward', 'Object.getPrototypeOf(this).forward', 'nn/parts'],
  ],
  'src/data/sampler.ts': [["checkValue('sampler', 'data', data, dataset);", '', 'data/dataset']],
  'src/gpu/scalar.ts': [['if (new.target === Counter) checkCount(value);', '', 'optim/options']],
  'src/optim/schedule.ts': [["checkValue(name, 'optimizer', optimizer, anOptimizer);", '', 'optim/options']],
  'src/tensor.ts': [['if (!(held instanceof Storage))', 'if (false)', 'tensor']],
  'src/autograd.ts': [
    ["refuseUncallable('noGrad', fn);", '', 'autograd'],
    ['if (x.requiresGrad && !x.node) leafWatcher(name, x);', '', 'nn/hidden'],
  ],
  'src/nn/dropout.ts': [
    ['++seedless', 'seedless', 'nn/layers'],
    [', 0x9e3779b9) >>> 0', ', 1) >>> 0', 'nn/layers'],
    ['new CountedScalar((n) => n, false)', 'new CountedScalar(() => seed, false)', 'nn/layers'],
    ['{ persistent: false, optional: true }', '{ persistent: false }', 'nn/layers'],
  ],
  'src/nn/parts.ts': [
    ['Array.isArray(value) || value instanceof Map', 'value instanceof Map', 'nn/parts'],
    ['if (value instanceof Set) return [...value].entries();', '', 'nn/parts'],
    ['prototype === null || prototype === Object.prototype', 'prototype === null', 'nn/parts'],
  ],
  'src/nn/sequential.ts': [
    ["name.replace(/^layers\\./, '')", 'name', 'nn/parts'],
    ['return object?.forward === layer.unwatchedForward;', 'return true;', 'nn/sequential'],
    [
      'layer instanceof ReLU && layer.unwatchedForward === ReLU.prototype.forward',
      'layer instanceof ReLU',
      'nn/sequential',
    ],
  ],
  'src/nn/construction.ts': [
    ['      construction.hidden();\n', '', 'nn/hidden'],
    ['      running.pop();\n', '      return void construction.unseen.add(part);\n', 'nn/hidden'],
  ],
  'src/nn/running.ts': [
    ['if (x.gradSlot || ', 'if (', 'nn/hidden'],
    ['x.version.made > running[0]!.since', 'false', 'nn/hidden'],
    ['if (given.version === x.version) return;', '', 'nn/hidden'],
    ['for (const { module } of running) modulesOf(module);', '', 'nn/parts'],
  ],
  'src/nn/batchNorm.ts': [
    [' && !this.frozen', '', 'nn/layers'],
    ['part.frozen = frozen', 'part.frozen = true', 'nn/layers'],
  ],
  'src/models/resnet.ts': [
    ['i > 0 && k === 0', 'i > 0', 'golden'],
    ['this.maxpool.forward(normal, { relu: true })', 'this.maxpool.forward(normal)', 'golden'],
  ],
  'src/train/evaluate.ts': [['Math.min(BATCH, mostRows(gpu, geometry, exampleShape(data)))', 'BATCH', 'train/memory']],
  'src/train/options.ts': [['most < 2 ? ', 'false ? ', 'train/memory']],
  'src/models/classifier.ts': [['finetune = this.pretrained', 'finetune = false', 'models/resnet']],
  'src/train/trainer.ts': [['this.model.getParameters?.() ?? ', '', 'models/resnet']],
  'src/models/weights.ts': [
    ['isLast && !(place', 'isLast && !(true', 'models/resnet'],
    ["if (name.startsWith('backbone.')) faults", 'if (false) faults', 'models/resnet'],
  ],
  'src/models/smallCnn.ts': [
    ['Math.max(height, width) <= 8', 'Math.max(height, width) <= 4', 'models/smallCnn'],
    ['+ 2 * padding < 6', '+ 2 * padding < 2', 'models/smallCnn'],
  ],
  'src/models/mlp.ts': [['outFeatures, random }), new ReLU());', 'outFeatures, random }));', 'models/mlp']],
  'src/nn/mode.ts': [['!isEvaluating() && ', '', 'adaptation/evalMode']],
  'src/ops/shared/evaluation.ts': [
    ['    evaluating = before;', '', 'adaptation/evalMode'],
    ['if (evaluating)\n', 'if (!evaluating)\n', 'adaptation/evalMode', 'ops/dropout [adapter]'],
  ],
  'src/gpu/recording.ts': [
    ['this.isRead && get() !== entry', 'get() !== entry', 'nn/mode'],
    ['this.isRead ||= !this.isSet', 'this.isRead = true', 'nn/mode'],
    ['if (this.isSet) set(exit);', '', 'nn/mode'],
  ],
  'src/nn/stateDict.ts': [
    ['optional || state.has(name)', 'state.has(name)', 'nn/module'],
    ['return { missingKeys, unexpectedKeys };', 'return { missingKeys: [], unexpectedKeys };', 'nn/module'],
    ['if (data.length !== sizeOf(given))', 'if (!data)', 'nn/module'],
    ['unexpectedKeys.length === state.size', 'false', 'nn/module'],
    ['(x) => overflowsF32(x)', '() => false', 'nn/module'],
  ],
};
