// Kernels of single ops, gradients and the device.
export default {
  'shaders/log.wgsl': [['- 103.27893', '- 103.0', 'ops/log']],
  'shaders/sigmoid.wgsl': [['select(e, 1.0, x >= 0.0)', 'select(1.0, e, x >= 0.0)', 'ops/sigmoid']],
  'shaders/tanh.wgsl': [['s < 0.09', 's < 0.9', 'ops/tanh']],
  'shaders/relu.wgsl': [['yIn[i] <= 0.0', 'yIn[i] < 0.0', 'ops/relu']],
  'shaders/unary.wgsl': [['y[i] = v;', 'y[i] = 0.0;', 'ops/exp [adapter]']],
  'shaders/binary.wgsl': [
    ['stepY *= n[d]', 'stepY += n[d]', 'ops/mul'],
    ['select(0u, params.repeats, o < params.outs)', 'params.repeats - 1u', 'ops/mul'],
  ],
  'shaders/scale.wgsl': [['SIGN * params.factor', 'params.factor', 'ops/gradientReversal']],
  'shaders/dropout.wgsl': [[')) >= params.p', ')) < params.p', 'ops/dropout']],
  'shaders/random.wgsl': [['v.z += v.x * v.y;\n  return', 'v.z += v.x + v.y;\n  return', 'ops/dropout']],
  'shaders/affine.wgsl': [
    ['select(place, vec2f(), place < vec2f())', 'place', 'golden', 'ops/affineSample'],
    ['if (any(pixel >= size)) { return 0.0; }', '', 'golden', 'ops/affineSample'],
    ['first + 1, size)', 'first, size)', 'golden', 'ops/affineSample'],
  ],
  'shaders/jitterBatch.wgsl': [
    ['2.0 * params.flip - 1.0', 'params.flip', 'ops/jitterBatch'],
    ['0.587, 0.114', '0.5, 0.114', 'ops/jitterBatch'],
    ['NUMBERS * b + k', 'k', 'ops/jitterBatch'],
    ['zoom - aspect', 'zoom + aspect', 'ops/jitterBatch'],
    ['(1.25 * near - 2.25)', '(1.5 * near - 2.5)', 'ops/jitterBatch'],
    ['min(at.x + 1u, extent.x - 1u)', 'at.x + 1u', 'ops/jitterBatch'],
    ['nearest(at, i - 1)', 'nearest(at, i)', 'ops/jitterBatch'],
    ['params.draw, params.seed', '0u, params.seed', 'ops/jitterBatch', 'train/jitter'],
    ['turn.y / (ratio * scale.x)', 'turn.y / scale.x', 'ops/jitterBatch'],
  ],
  'shaders/canonicalGeometry.wgsl': [
    ['5.0 / 7.0', '1.0', 'data/canonicalGeometry'],
    ['v > 0.25', 'v > 0.5', 'data/canonicalGeometry'],
    ['2.0 * centre.y / f32(size.y)', '2.0 * centre.y / f32(size.x)', 'data/canonicalGeometry'],
  ],
  'src/data/jitter.ts': [['this.counter.count = count!;', '', 'train/jitter']],
  'src/data/dataset.ts': [
    ['if (host.count * each <= most) return host.count;', 'return host.count;', 'train/memory'],
    ['mean = host.mean ?? 0.5', 'mean = 0.5', 'data/standardize'],
  ],
  'src/data/readers/images.ts': [
    ['if (!onUnreadable) throw cause;', '', 'data/readers/images'],
    ['    next = files.length;\n', '', 'data/readers/images'],
    ['bmp|hei[cf]|', 'bmp|', 'cli/data'],
  ],
  'src/data/readers/text.ts': [['{ fatal: true }', '{}', 'data/readers/images']],
  'src/data/standardize.ts': [
    ['Math.sqrt(variance) || 1', 'Math.sqrt(variance)', 'data/standardize'],
    ['counts[p % channels]', 'counts[0]', 'data/standardize'],
    ['(value - mean[i % dim]!) ** 2', 'value ** 2', 'data/standardize'],
  ],
  'src/train/options.ts': [['wanted !== found', 'false', 'train/refusals']],
  'src/train/checkpoint.ts': [['if (then === given) continue;', 'continue;', 'train/jitter']],
  'shaders/rows.wgsl': [
    [
      'lid % LANES < half) { laneParts[lid] += ',
      'lid % LANES <= half) { laneParts[lid] += ',
      'ops/sum [gemm-workgroup-disordered]',
    ],
    [
      '!isNan(a) && (b > a',
      '!isNan(a) || (b > a',
      'ops/softmax [gemm-workgroup-disordered]',
      'ops/accuracy [gemm-workgroup-disordered]',
    ],
    ['{ return -100.0; }', '{ return -99.0; }', 'ops/binaryCrossEntropy [adapter]'],
    ['- 103.27893, -100.0)', '- 103.27893, -200.0)', 'ops/binaryCrossEntropy [adapter]'],
  ],
  'shaders/softmax.row.wgsl': [['m = rowMax(lid, m);', '', 'ops/softmax [gemm-workgroup-disordered]']],
  'shaders/sum.wgsl': [
    ['min(first + params.chunk, params.n)', 'first + params.chunk', 'ops/sum'],
    ['k < min(block + BLOCK * LANES, end)', 'k < block + BLOCK * LANES', 'ops/sum'],
  ],
  'shaders/max.wgsl': [
    ['return isNan(v) && i < j;', 'return isNan(v);', 'ops/max', 'ops/argmax'],
    ['return isNan(v) && i < j;', 'return i < j;', 'ops/max', 'ops/argmax'],
    ['(v == w && i < j)', '(v == w && i > j)', 'ops/max [adapter]', 'ops/argmax [adapter]'],
    ['at[found.own] = atOfX[found.index]', 'at[found.own] = found.place', 'ops/argmax [adapter]'],
    ['dy[0] / count[0]', 'dy[0]', 'ops/max [adapter]'],
  ],
  'shaders/accuracy.row.wgsl': [
    ['before == 0.0 && same', 'same', 'ops/accuracy [adapter]', 'ops/crossEntropy [adapter]'],
  ],
  'shaders/confusionMatrix.wgsl': [['if (v > largest)', 'if (v >= largest)', 'ops/confusionMatrix [adapter]']],
  'shaders/softmax.wgsl': [
    ['(dy[i] - sum) * params.scale', 'dy[i] - sum * params.scale', 'ops/softmax [adapter]'],
    ['(dy[i] - p * sum) * params.scale', 'dy[i] - p * sum * params.scale', 'ops/logSoftmax [adapter]'],
  ],
  'shaders/softmaxColumnMean.wgsl': [
    [
      '& 0xfffff000u',
      '& 0xffffffffu',
      {
        equivalent:
          "this is Kahan's summation then, which loses digits only where a compiler reorders additions; lavapipe's does not",
      },
    ],
    ['return vec2f(high, (sum.x - high) + low)', 'return vec2f(high, 0.0)', 'ops/softmaxColumnMean [adapter]'],
    ['if (params.add == 1u) { partials', 'if (false) { partials', 'ops/softmaxColumnMean'],
    ['min(first + CHUNK, params.rows)', 'first + CHUNK', 'ops/softmaxColumnMean'],
  ],
  'shaders/softmaxColumnMean.subgroups.wgsl': [
    ['select(0.0, e[k] * p, row < params.rows)', 'e[k] * p', 'ops/softmaxColumnMean [gemm-workgroup-disordered]'],
  ],
  'shaders/crossEntropy.wgsl': [
    [
      'if (params.sampleWeighted == 1u) { return 1.0; }',
      'if (params.sampleWeighted == 0u) { return 1.0; }',
      'ops/crossEntropy [adapter]',
    ],
    ['if (row < params.rows) { dlogits', 'if (true) { dlogits', 'ops/crossEntropy [adapter]'],
    ['ofClasses, sum.z); }', 'ofClasses, 0.0); }', 'ops/crossEntropy [adapter]'],
    ['|| (weightless && params.weightless == 0u)', '', 'ops/crossEntropy'],
    ['i += WG) { sum += totals[i].xyw; }', 'i += 2u * WG) { sum += totals[i].xyw; }', 'ops/crossEntropy'],
    ['totals[0], 1.0)', 'totals[0], 2.0)', 'ops/crossEntropy [adapter]'],
    ['storageBarrier();', '', 'ops/crossEntropy [disordered]'],
  ],
  'shaders/binaryCrossEntropy.wgsl': [
    ['(p[i] - targets[i]) / guarded', '(p[i] - targets[i]) / variance', 'ops/binaryCrossEntropy'],
  ],
  'shaders/domainLoss.wgsl': [
    ['(p >= 0.5)', '(p > 0.5)', 'ops/domainLoss [adapter]'],
    ['!LOGITS || isNan(v)', '!LOGITS', 'ops/domainLoss [adapter]'],
    ['select(dp, dp * variance, LOGITS)', 'select(dp, dp * guarded, LOGITS)', 'ops/domainLoss [adapter]'],
    ['nan(label), label >= params.classes', '0.0, label >= params.classes', 'ops/domainLoss [adapter]'],
    ['1e-12, variance < 1e-12', '1e-7, variance < 1e-7', 'ops/domainLoss [adapter]'],
    ['select(variance, 1e-12, variance < 1e-12)', 'variance', 'ops/domainLoss [adapter]'],
    ['dloss[i % params.sources]', 'dloss[0]', 'ops/domainLoss [adapter]'],
    ['gradient(i, 1.0)', 'gradient(i, 2.0)', 'ops/domainLoss [adapter]'],
  ],
  'shaders/domainWeights.wgsl': [
    ['nan(label), label >= params.classes', '0.0, label >= params.classes', 'ops/domainWeights'],
  ],
  'shaders/batchNorm.wgsl': [
    ['select(m.z, 0.0, params.training == 1u && m.z < 0.0)', 'm.z', 'ops/batchNorm [adapter]'],
    ['(squares / (m.w - 1.0))', '(squares / m.w)', 'ops/batchNorm [adapter]'],
    ['delta * delta * m.w * share', 'delta * delta * share', 'ops/batchNorm'],
    ['yIn[at] <= 0.0', 'yIn[at] < 0.0', 'ops/batchNorm'],
    ['deviation.y - deviation.x * remainder', 'deviation.y', 'ops/batchNorm'],
  ],
  'shaders/maxPool2d.wgsl': [
    ['v > best || isNan(vec4f(v)).x', 'v > best', 'ops/maxPool2d'],
    ['select(next, size, window + 1u == vec2u(params.p, params.q))', 'next', 'ops/maxPool2d'],
  ],
  'shaders/maxPool2d.window.wgsl': [
    ['let wins = (v > best.value)', 'let wins = (v >= best.value)', 'ops/maxPool2d [adapter]'],
    ['best.value <= 0.0', 'best.value < 0.0', 'ops/maxPool2d [adapter]'],
  ],
  'src/nn/sequential.ts': [["keeps('halves', pool) && ", '', 'nn/sequential']],
  'src/nn/pool.ts': [[' && !ceilMode', '', 'nn/sequential']],
  'shaders/pool2d.wgsl': [['/ params.stride + 1u, padded >=', '/ params.stride, padded >=', 'ops/avgPool2d [adapter]']],
  'src/autograd.ts': [
    ['before.storage.refs > 1 || ', '', 'autograd'],
    ['if (before !== g) gradients', 'gradients', 'autograd'],
    ['|| existing.has(gradSlot)', '', 'optim/edges'],
    ['if (a.storage.refs > 1) return', 'if (a.storage.refs > 2) return', 'sharedGradients'],
    ['b.storage.refs > 1 ? sumOf(copyOf(a), b)', 'b.storage.refs > 2 ? sumOf(copyOf(a), b)', 'sharedGradients'],
    ['g.storage.refs === 1 ? g : empty', 'g.storage.refs > 0 ? g : empty', 'autograd'],
    ['(a, b) => b.age - a.age', '(a, b) => a.age - b.age', 'autograd'],
    ['x !== node.output && !node.inputs.includes(x)', '!node.inputs.includes(x)', 'ops/sigmoid [adapter]'],
  ],
  'shaders/gatherRows.wgsl': [
    ['dx[row * params.cols + c] += dy', 'dx[row * params.cols + c] = dy', 'ops/gatherRows [adapter]'],
    ['r < taken; r++', 'r < 1u; r++', 'ops/gatherRows [adapter]'],
    ['row - first < taken', 'row == first', 'ops/gatherRows [adapter]'],
  ],
  'shaders/slice.wgsl': [
    ['at >= params.start && at < ', 'at < ', 'ops/slice [adapter]'],
    [
      'i / params.length * params.width +',
      'i / params.length * params.length +',
      'ops/slice [adapter]',
      'ops/concat [adapter]',
    ],
  ],
  'shaders/imageBatch.wgsl': [
    ['(8u * (at % 4u))', '(8u * (at % 3u))', 'ops/imageBatch [adapter]'],
    ['params.nextOffset + b - params.size', 'params.nextOffset + b', 'ops/imageBatch [adapter]'],
    ['select(params.count, params.nextCount, isNext(b))', 'params.count', 'ops/imageBatch [adapter]'],
    ['p < 2u * params.plane', 'p < 3u * params.plane', 'ops/imageBatch [adapter]'],
  ],
  'shaders/featureBatch.wgsl': [
    ['var item = order[params.offset + b]', 'var item = order[b]', 'ops/featureBatch [adapter]'],
  ],
  'shaders/metrics.wgsl': [['(params.iteration % params.length)', 'params.iteration', 'train/metrics']],
  'shaders/anomaly.wgsl': [['atomicMin(&first[0], params.look) < params.look', 'false', 'debug/anomaly']],
  'shaders/optimizer.wgsl': [
    ['!isFinite(updated)', 'false', 'train/anomaly', 'optim/optimizer [adapter]'],
    ['!isFinite(g)', 'false', 'optim/optimizer [adapter]'],
    ['before + u32(group != ABSENT)', 'before + 1u', 'optim/optimizer [adapter]'],
  ],
  'shaders/classWeight.wgsl': [
    ['  largest = rowMax(lid, largest);\n', '', 'adaptation/classWeight'],
    ['min(1.0, weight / params.share)', 'weight / params.share', 'adaptation/classWeight'],
    ['weight *= weight;', '', 'adaptation/classWeight'],
  ],
  'shaders/entropy.wgsl': [
    ['log(shifted) + p[i] / shifted', 'log(shifted) + 1.0', 'ops/entropy [adapter]'],
    ['select(slope, p[i], isNan(p[i]))', 'slope * 0.0', 'ops/entropy [adapter]'],
  ],
  'shaders/rowNorm.wgsl': [['if (norm == 0.0)', 'if (norm < 0.0)', 'ops/rowNorm [adapter]']],
  'shaders/complementEntropy.wgsl': [
    ['select(g, 0.0, i == r.own)', 'g', 'ops/complementEntropy [adapter]'],
    [' - along)', ')', 'ops/complementEntropy [adapter]'],
  ],
  'src/adaptation/losses.ts': [
    ['clamp(sum(weighted, { dim: 0 }), { min: 2 ** -126 })', 'sum(weighted, { dim: 0 })', 'adaptation/losses'],
    ['noGrad(() => sigmoid(entropy(p)))', 'sigmoid(entropy(p))', 'golden'],
  ],
  'shaders/adam.wgsl': [
    ['x < -0.5', 'x < 0.5', 'optim/edges'],
    ['x < -0.5', 'x < -1.5', 'optim/edges'],
    ['select(max(largest[u.i], now.v), now.v, nan)', 'max(largest[u.i], now.v)', 'optim/edges'],
    [
      'sqrt(oneMinusExp(t * params.logBeta2)) + params.eps',
      'sqrt(oneMinusExp(t * params.logBeta2))',
      'optim/optimizer',
    ],
    ['1.0 - u.lr * u.weightDecay', '1.0 - params.lr * u.weightDecay', 'optim/optimizer [adapter]'],
  ],
  'shaders/sgd.wgsl': [
    ['if (u.stepsBefore > 0u)', 'if (u.stepsBefore > 1u)', 'optim/optimizer [adapter]'],
    ['(1.0 - params.dampening) * d', 'd', 'optim/optimizer [adapter]'],
  ],
  'shaders/clipGradNorm.wgsl': [
    ['length + 1e-6 <= params.maxNorm', 'length <= params.maxNorm', 'optim/clipGradNorm'],
    ['select(gradient[i], factor * gradient[i], own)', 'factor * gradient[i]', 'optim/clipGradNorm'],
  ],
  'src/optim/optimizer.ts': [
    ['    counts.set(steps, steps.length);\n', '', 'optim/edges'],
    ['(this.run.value & 1) * blocks', '0 * blocks', 'optim/optimizer'],
  ],
  'src/optim/flatParameters.ts': [
    ['if (!undecided.includes(place)) gatherGradient(place.parameter);', ';', 'optim/optimizer'],
  ],
  'src/optim/schedule.ts': [['** -decay', '** decay', 'optim/schedule', 'golden']],
  'src/optim/adam.ts': [
    ['oneMinusBeta2: 1 - beta2', 'oneMinusBeta2: Math.fround(1 - Math.fround(beta2))', 'optim/optimizer'],
  ],
  'src/tidy.ts': [['scopes.at(-2);', 'scopes.at(-1);', 'tensor']],
  'src/gpu/pool.ts': [
    [
      'Math.max(this.info.peakBytes, this.info.bytes + this.info.pooledBytes)',
      'Math.max(this.info.peakBytes, this.info.bytes)',
      'gpu/pool',
    ],
    ['if (size <= limit) return size', 'if (size < limit) return size', 'gpu/pool'],
    ['Math.min(maxStorageBufferBindingSize!, maxBufferSize!)', 'maxBufferSize!', 'gpu/pool'],
    ['if (storage.refs > 0) {', 'if (storage.refs > 1) {', 'capture'],
    ['!owned.has(storage) && !pinned.has(storage)', '!owned.has(storage)', 'gpu/pool'],
  ],
  'src/gpu/params.ts': [
    ['if (--this.live === 0) this.used = 0', 'if (--this.live === 0) this.used = this.size', 'gpu/pool'],
    ['if (to > this.dirtyTo) this.dirtyTo = to', 'this.dirtyTo = to', 'capture'],
  ],
  'src/gpu/commandList.ts': [['value !== patch.last', 'false', 'capture']],
  'src/gpu/queue.ts': [
    ['scalar.advance?.();\n    this.pending', ';\n    this.pending', 'capture'],
    [
      "    this.refuseInCapture('a write from the host');\n    this.submit();",
      "    this.refuseInCapture('a write from the host');",
      'tensor',
    ],
  ],
  'src/gpu/kernel.ts': [
    ["value !== (type === 'u32' ? value >>> 0 : value | 0)", 'false', 'gpu/kernel'],
    ['Math.ceil(count / limit)', 'Math.floor(count / limit)', 'gpu/kernel'],
    ['{JSON.stringify(options)}', '{entry}', 'gpu/kernel'],
  ],
  'src/gpu/wgsl.ts': [
    [
      'Math.ceil(fields.length / 4) * 16',
      '4 * fields.length',
      { equivalent: 'a uniform binding may be as small as its struct, whose fields take 4 bytes each' },
    ],
    ['/u32|vec\\du/', '/u32/', 'gpu/kernel'],
  ],
  'src/gpu/device.ts': [
    ["this.failure.code === 'GPU_VALIDATION'", 'false', 'gpu/gpu', 'gpu/kernel'],
    ['this.failure = undefined;', '', 'gpu/gpu'],
    ['least === most ? this.subgroupMinSize : 0', 'least', 'gpu/gpu'],
    ['this.askedLanes ?? this.subgroupSize', 'this.subgroupSize', 'ops/softmaxColumnMean'],
    ['} catch {}', '} catch { this.takesFewLanes = true; }', 'gpu/gpu'],
  ],
  'src/gpu/gpu.ts': [['this.options.kind ?? ', '', 'gpu/gpu']],
  'src/ops/shared/binary.ts': [['!inner.b === !stepB', 'true', 'ops/mul', 'ops/add']],
  'src/ops/batchNorm.ts': [['momentum: 0, wantsX', 'momentum, wantsX', 'ops/batchNorm', 'nn/layers']],
  'src/ops/dropout.ts': [
    [
      'p === 1 ? 0 : 1 / (1 - p)',
      '1 / (1 - p)',
      { equivalent: 'with p = 1 every element is dropped, and none is multiplied by the factor' },
    ],
  ],
};
