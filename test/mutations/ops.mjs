// Ops, tensors and the double-precision reference.
export default {
  'src/checks/data.ts': [
    ['  if (!typed && !Array.isArray(data))', '  if (data === undefined)', 'tensor'],
    ['if (whole && Math.fround(item as number) !== item)', 'if (false)', 'tensor'],
    ['  if (at < 0) return flat;', '  return flat;', 'tensor'],
  ],
  'src/tensor.ts': [
    ['this.shape = Object.freeze([...shape]);', 'this.shape = shape;', 'tensor'],
    ["if (hint === 'string') return", 'if (hint) return', 'tensor'],
  ],
  'src/ops/shared/expect.ts': [['  if (x instanceof Tensor) return;', '  if (x) return;', 'ops/add [adapter]']],
  'src/checks/options.ts': [
    ["if (given === undefined || typeof given === 'number') return;", 'return;', 'ops/add [adapter]'],
  ],
  'shaders/abs.wgsl': [['return sign(x);', 'return select(-1.0, 1.0, x >= 0.0);', 'ops/abs [adapter]']],
  'shaders/sqrt.wgsl': [
    [
      '  if (bits > 0x7f800000u) { return bitcast<f32>(bits | 0x7fc00000u); }\n',
      '  if (bits > 0x7f800000u) { return 0.0; }\n',
      'ops/sqrt [adapter]',
    ],
  ],
  'shaders/leakyRelu.wgsl': [['!isNan(x) && x > 0.0', 'x >= 0.0', 'ops/leakyRelu [adapter]']],
  'shaders/gelu.wgsl': [
    ['0.998732965', '0.9988', 'ops/gelu [adapter]'],
    ['  if (x < -END) { return 0.0; }\n', '', 'ops/gelu [adapter]'],
  ],
  'shaders/clamp.wgsl': [['x[i] >= params.low', 'x[i] > params.low', 'ops/clamp [adapter]']],
  'shaders/div.wgsl': [['-(a / b) / b', '-a / (b * b)', 'ops/div [adapter]']],
  'shaders/layerNorm.wgsl': [[' - meanOfG', '', 'ops/layerNorm [adapter]']],
  'shaders/binaryCrossEntropyWithLogits.wgsl': [
    ['i % params.cols', 'i / params.cols', 'ops/binaryCrossEntropyWithLogits [adapter]'],
  ],
  'src/ops/gatherRows.ts': [["x.dtype === 'u32' ? -1 : QUIET_NAN", 'QUIET_NAN', 'ops/gatherRows [adapter]']],
  'src/ops/transpose.ts': [['low === high\n', 'low > high\n', 'ops/transpose [adapter]']],
  'src/optim/schedule.ts': [['milestone <= i', 'milestone < i', 'optim/schedule']],
  'src/ops/softmax.ts': [
    ['within(1e-30, 1e30)', 'within(0, 1e300)', 'ops/softmax [adapter]'],
    ['inner === 1 ? lanes : { ...lanes, STRIDED: 1 }', 'lanes', 'ops/softmax [adapter]', 'ops/logSoftmax [adapter]'],
  ],
  'src/ops/shared/axis.ts': [
    ['keepdim ? shape.map(() => 1) : []', '[]', 'ops/sum [adapter]', 'ops/max [adapter]'],
    ['keepdim && shape.length > 0 ? [1] : []', 'keepdim ? [1] : []', 'ops/sum [adapter]'],
  ],
  'shaders/softmax.row.wgsl': [['s += exp(', 's += exp(0.999 * ', 'ops/softmax [adapter]']],
  'shaders/softmax.wgsl': [
    [
      '(0.5 * x[i] - 0.5 * stats.x) * (2.0 * params.scale)',
      '(x[i] - stats.x) * params.scale',
      'ops/logSoftmax [adapter]',
    ],
  ],
  'shaders/crossEntropy.wgsl': [
    ['  if (isIgnored(label)) { return 0.0; }', '', 'ops/crossEntropy [adapter]'],
    ['params.ignores == 1u && label == params.ignored', 'label == params.ignored', 'ops/crossEntropy [adapter]'],
    ['if (SMOOTH && lid == 0u) { totals', 'if (false) { totals', 'ops/crossEntropy [adapter]'],
    ['vec2f(total.z, classWeight(c))', 'vec2f(f32(params.cols), 1.0)', 'ops/crossEntropy [adapter]'],
    [
      'label >= params.cols || isNan(g)',
      'isNan(g)',
      { equivalent: 'a class weight of NaN makes the gradient NaN by itself, on devices that follow IEEE 754' },
    ],
  ],
  'shaders/maxPool2d.window.wgsl': [['v.w > best.value || nan.w', 'v.w > best.value', 'ops/maxPool2d [adapter]']],
  'src/ops/shared/pool2d.ts': [
    [
      'ceilMode && (count - 1) * stride >= size + padding ? count - 1 : count',
      'count',
      'ops/maxPool2d [adapter]',
      'ops/avgPool2d [adapter]',
    ],
  ],
  'shaders/avgPool2d.wgsl': [
    [
      'vec2u(params.h, params.w) + params.padding + params.counted',
      'vec2u(params.h, params.w) + 2u * params.padding',
      'ops/avgPool2d [adapter]',
    ],
  ],
  'src/ops/avgPool2d.ts': [
    ['ceilMode || sizes.counted < pool.padding', 'sizes.counted < pool.padding', 'ops/avgPool2d [adapter]'],
  ],
  'shaders/rows.wgsl': [
    [
      '  if (bits < 0x00800000u) { return max(log(f32(bits)) - 103.27893, -100.0); }\n',
      '',
      'ops/binaryCrossEntropy [adapter]',
      'ops/domainLoss [adapter]',
    ],
  ],
  'shaders/batchNorm.wgsl': [
    ['select(m.z, 0.0, params.training == 1u && m.z < 0.0)', 'select(m.z, 0.0, m.z < 0.0)', 'ops/batchNorm [adapter]'],
    [
      'select(bias[c], none, undefined)',
      'bias[c]',
      { equivalent: 'a scale of NaN makes the output NaN by itself, on devices that follow IEEE 754' },
    ],
  ],
  'shaders/imageBatch.wgsl': [
    ['select(allLabels[item], 0xffffffffu, item >= params.count)', 'allLabels[item]', 'ops/imageBatch [adapter]'],
  ],
  'src/gpu/kernel.ts': [["type === 'f32' && overflowsF32(value)", 'false', 'ops/scale [adapter]']],
  'src/gpu/commandList.ts': [
    ['      offset: byteOffset,\n      size: Math.min', '      offset: 0,\n      size: Math.min', 'ops/relu [adapter]'],
  ],
  'src/ops/scale.ts': [["checkValue('scale', 'factor', factor, factors);", '', 'ops/scale [adapter]']],
  'reference/losses.ts': [
    ['Math.max(Math.log(p), -100)', 'Math.log(p)', 'reference [adapter]', 'ops/domainLoss [adapter]'],
    ['divisor += sampleWeight ? 1 : w;', 'divisor += 1;', 'reference [adapter]'],
  ],
  'reference/pada.ts': [
    ['(this.iteration + 1) % updateSteps', 'this.iteration % updateSteps', 'reference [adapter]'],
    ['g - coefficient * ofDomain.data[i]!', 'g + coefficient * ofDomain.data[i]!', 'reference [adapter]'],
  ],
  'reference/images.ts': [
    ['ceilMode && (count - 1) * stride >= size + padding ? count - 1 : count', 'count', 'ops/maxPool2d [adapter]'],
  ],
  'reference/compare.ts': [
    ['if (error > 1 && wrong++ === 0)', 'if (error > 2 && wrong++ === 0)', 'reference [adapter]'],
  ],
  'test/golden/format.ts': [['if (!Object.hasOwn(wanted, key)) throw', 'if (false) throw', 'golden [adapter]']],
};
