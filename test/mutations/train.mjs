// Training, adaptation and the readers of data.
export default {
  'src/train/trainer.ts': [
    ['recipe.advance?.(iteration);', 'recipe.advance?.(iteration + 1);', 'train/trainer'],
    ['const refreshes = classWeights?.isDue === true;', 'const refreshes = false;', 'train/trainer'],
    ['network.stateDict({ all: true })', 'network.stateDict()', 'train/methods'],
    ['      ...recipe.state,\n', '', 'train/trainer'],
    ['const forwardBackward = this.warmsUp ? warmUp : main;', 'const forwardBackward = main;', 'train/selfTraining'],
    [
      'targetSampler.batch(undefined, 0, target).x : targetX',
      'targetSampler.batch(undefined, 0).x : targetX',
      'train/selfTraining',
    ],
  ],
  'src/train/methods/pada.ts': [
    ['{ weight, weightless: 0 }', '{ weight }', 'train/weightless'],
    ['adversarial.forwardBatch(features, n, weights)', 'adversarial.forwardBatch(features, n)', 'train/methodLosses'],
  ],
  'src/train/methods/iwan.ts': [
    ['forwardBatch(detach(features), n)', 'forwardBatch(features, n)', 'train/methodLosses'],
    ['scale(weightLoss, 1.5 * tradeOff)', 'scale(weightLoss, tradeOff)', 'train/methodLosses'],
  ],
  'src/adaptation/balancedAdversarialLoss.ts': [
    [
      'this.gradientReversal.forward(entropy(softmax(logits), { eps: 1e-7 }))',
      'entropy(softmax(logits), { eps: 1e-7 })',
      'train/methodLosses',
    ],
    [
      'clamp(sub(k, rows(places.slice(0, m))), { min: 0, max: 1 })',
      'clamp(k, { min: 0, max: 1 })',
      'train/methodLosses',
    ],
  ],
  'src/ops/concat.ts': [
    ['part.version === first.version && ', '', 'ops/concat'],
    [' && part.byteOffset === end', '', 'ops/concat'],
  ],
  'shaders/confusionMatrix.wgsl': [['if (isNan(v)) { return; }', '', 'ops/confusionMatrix']],
  'src/train/evaluate.ts': [
    ['(of) => of >= numClasses', '(of) => of > numClasses', 'train/refusals'],
    ['if (result.count === count) return result;', 'return result;', 'train/refusals'],
  ],
  'src/train/options.ts': [
    ['numClasses: wholeFrom(2)', 'numClasses: wholeFrom(1)', 'train/refusals'],
    [" || method.name === 'source-only'", '', 'train/refusals'],
  ],
  'src/checks/options.ts': [
    ['.filter(([, value]) => value !== undefined)', '', 'train/refusals'],
    ['size >= 2 ** -126 && ', '', 'checks/options'],
  ],
  'src/train/loop.ts': [
    ['{ ...resume?.options, ', '{ ', 'train/loop'],
    ['if (seed !== resume.options.seed)', 'if (false)', 'train/refusals'],
    [
      'checkpoint.iteration > trainer.options.iterations',
      'checkpoint.iteration > trainer.options.iterations + 1',
      'train/refusals',
    ],
    [
      'if (++ahead.steps < ahead.most) return;\n    await this.gpu.idle();',
      'if (++ahead.steps < ahead.most) return;\n    await this.trainer.classWeight();',
      'train/loop',
    ],
  ],
  'src/gpu/compilation.ts': [
    ['if (none) await this.translate(dispatch, none);', '', 'train/compiled'],
    ['if (signal?.aborted) return;', '', 'train/compiled'],
  ],
  'src/data/sampler.ts': [
    ['if (of === this.data) this.draw();', '', 'data/dataset'],
    ["isSecond ? 'sampler", "false ? 'sampler", 'data/dataset'],
    [': !recording && check()', ': undefined', 'data/dataset'],
    ['    this.isDrawn = false;', '', 'data/dataset'],
    ['this.next + this.batchSize > this.data.count', 'this.next + this.batchSize >= this.data.count', 'data/dataset'],
    ['seen.size !== count || ', '', 'data/dataset'],
    ['next > count || ', '', 'data/dataset'],
  ],
  'src/data/readers/npy.ts': [
    ['new Uint8Array(bytes.subarray(begin)).buffer', 'bytes.slice(begin).buffer', 'data/readers/npy'],
    ['if (bytes.length - begin !== wanted)', 'if (bytes.length - begin < wanted)', 'hostile/data'],
  ],
  'src/data/readers/gunzip.ts': [
    ['stated !== filled % 2 ** 32', 'stated < filled % 2 ** 32', 'data/readers/idx'],
    [
      'filled % 2 ** 32',
      'filled',
      { equivalent: 'a file whose content is 4 GiB or more is longer than any array of bytes that decodeIdx takes' },
    ],
  ],
  'src/data/host.ts': [
    ['/^Uint8(Clamped)?Array$/', '/^U?int8(Clamped)?Array$/i', 'data/dataset'],
    ['Number.isInteger(label) && ', '', 'data/dataset'],
  ],
  'src/io/jsonOutline.ts': [['const MARK = 0x5f;', 'const MARK = 0x31;', 'io/safetensors']],
  'src/io/safetensors.ts': [
    ['checkText(`the text ', 'void (`the text ', 'io/safetensors'],
    ["['BigInt64Array', 'I64'],", "['BigInt64Array', 'I64'],\n  ['BigUint64Array', 'I64'],", 'io/safetensors'],
    [
      'const entries = [...tensors].map(([name, { shape, data }])',
      'const entries = [...order].map(([name, { shape, data }])',
      'io/safetensors',
    ],
    ['second === 0x4b && third === 3', 'second === 0x4b && third === 4', 'io/safetensors'],
  ],
  'src/cli/data.ts': [["[ending, ending.replace('-idx', '.idx')]", '[ending]', 'cli/data']],
  'shaders/snd.wgsl': [['select(s, -1.0, i == j)', 's', 'train/select']],
  'src/train/select.ts': [
    ['agreement >= least ? entropy', 'agreement > 0 ? entropy', 'train/select'],
    ['? -covariance / variance : 0', '? covariance / variance : 0', 'train/select'],
    ['value && -value', 'value', 'train/select'],
    ['1 - meanOf(errors)', 'meanOf(errors)', 'train/select'],
  ],
  'src/train/scores.ts': [
    ['Math.exp(-z)', 'Math.exp(z)', 'train/select'],
    ['noGrad(() => evaluate(() => model.forward(x)))', 'noGrad(() => model.forward(x))', 'train/select'],
  ],
  'src/adaptation/diagnostics.ts': [['weights.length > 2 && ', '', 'adaptation/diagnostics']],
  'src/adaptation/aDistance.ts': [
    ['(LR * errors[k]!) / batch.length', '(-LR * errors[k]!) / batch.length', 'adaptation/aDistance'],
    ['order.subarray(held)', 'order.subarray(1, 3)', 'adaptation/aDistance'],
    ['count < FEWEST', 'count < 2', 'adaptation/aDistance'],
  ],
  'src/train/methods/selfTraining.ts': [
    ['(iteration - pseudoFrom + 1) / ramp', '(iteration - pseudoFrom) / ramp', 'golden'],
  ],
  'src/train/methods/classWeights.ts': [['...{ classWeights, share, floor }', '...{ classWeights, share }', 'golden']],
  'shaders/pseudoLabels.wgsl': [
    [' * classWeight[i - start]', '', 'golden'],
    ['top >= params.threshold * sum', 'top >= params.threshold', 'golden'],
    ['select(0.0, maskIn[i], labelsIn[i] == labelsIn[row])', 'maskIn[i]', 'adaptation/losses'],
    [' * classWeight[labelsIn[row]] / alike', ' / alike', 'adaptation/losses'],
  ],
  'src/train/methods/ba3us.ts': [
    ['Math.floor(iteration / classWeightUpdateSteps)', 'iteration / classWeightUpdateSteps', 'train/methodLosses'],
    ['middle?.advance();', '', 'train/methodLosses'],
  ],
  'src/train/methods/afn.ts': [['if (tradeOffEntropy > 0)', 'if (false)', 'train/methodLosses']],
  'src/train/perDomain.ts': [['withoutTracking(() => part(0, n))', 'part(0, n)', 'train/perDomain']],
  'src/train/methods/named.ts': [["{ ...options, classWeights: 'saturating' }", 'options', 'train/refusals']],
  'src/data/jitter.ts': [['zoom: 0.5', 'zoom: 0.4', 'train/jitter']],
};
