// Captures, the graph and the settings of optimisers.
export default {
  'src/capture.ts': [
    ['lists.push(step.list(appearance));', 'lists.push(step.list(0));', 'capturedSteps', 'capturedResults'],
    ["for (const replay of this.live('run').replays) replay.apply?.();", '', 'capturedSteps', 'capturedResults'],
    ['if (difference) throw', 'if (false) throw', 'capturedSteps', 'capturedResults'],
    ['for (const replay of replays) replay.prepare?.(flush);', '', 'capturedSteps', 'capturedResults'],
    [
      'if (run === undefined || run === this.runs) return undefined;',
      'return undefined;',
      'capturedSteps',
      'capturedResults',
    ],
    ['if (this.runs === 0) return `', 'if (this.runs < 0) return `', 'capturedSteps', 'capturedResults'],
    ['view.node = refusedNode(view, REFUSED);', '', 'capturedSteps', 'capturedResults'],
    [
      ', tensor, () => this.whyNot(tensor.label, run));',
      ', tensor, () => undefined);',
      'capturedSteps',
      'capturedResults',
    ],
    ["  gpu?.queue?.refuseInCapture('another capture');", '', 'capturedSteps', 'capturedResults'],
  ],
  'src/io/buffers.ts': [['16 * Math.ceil(sizeOf(shape) / 4)', '4 * sizeOf(shape)', 'tensor']],
  'src/gpu/scalar.ts': [
    ["refuseWhileRecording('setting a Scalar');", '', 'capturedSteps', 'capturedResults'],
    ["refuseWhileRecording('making a Counter');", '', 'capturedSteps', 'capturedResults'],
    ['this.of.advance?.();', '', 'capturedSteps', 'capturedResults'],
  ],
  'src/ops/scale.ts': [
    [
      'if (gpu.queue.recording) return readingOf(gpu.queue.recording, factor);',
      'if (gpu.queue.recording) return factor;',
      'capturedSteps',
      'capturedResults',
    ],
  ],
  'src/random.ts': [
    ["refuseWhileRecording('drawing a random number on the host');", '', 'capturedSteps', 'capturedResults'],
  ],
  'src/tensor.ts': [
    [
      "gpu.queue.refuseInCapture('data from the host', 'make the tensor before, and write() to it between runs');",
      '',
      'capturedSteps',
      'capturedResults',
    ],
    [
      'if (entry ? entry.sharesPlace(now) : !now) return undefined;',
      'return undefined;',
      'capturedSteps',
      'capturedResults',
    ],
    ['if (this.gradient !== this.gradSlot) this.gradient?.dispose();', '', 'autograd'],
    ['this.noteRequiresGrad()?.sets();', '', 'capturedSteps', 'capturedResults'],
    ['if (gradient !== null && !fits)', 'if (false)', 'autograd', 'optim/optimizer'],
  ],
  'src/gpu/recording.ts': [
    ['    set(entry);', '', 'capturedSteps', 'capturedResults'],
    ['for (const version of versions) version.changed = tick();', '', 'capturedSteps', 'capturedResults'],
  ],
  'src/tidy.ts': [['Promise.resolve(result).catch(() => {});', '', 'capturedSteps', 'capturedResults']],
  'src/gpu/gpu.ts': [
    ["outsideCapture('waiting for the GPU', () => this.wait())", 'this.wait()', 'capturedSteps', 'capturedResults'],
  ],
  'src/autograd.ts': [
    ['x.noteRequiresGrad()?.reads();', '', 'capturedSteps', 'capturedResults'],
    ['version.changed < age', 'version.changed > 0', 'autograd'],
    [
      'if (queue.recording !== madeIn) queue.recording?.expect(name, version, check);',
      '',
      'capturedSteps',
      'capturedResults',
    ],
    ['returned.length !== inputs.length', 'returned.length < inputs.length', 'autograd'],
    ['return own ? g : g.view();', 'return g;', 'autograd'],
    ['return gradOutput && seed.storage.refs > 2 ? copyOf(seed) : seed;', 'return seed;', 'autograd'],
  ],
  'src/optim/optimizer.ts': [
    ['if (extra.length > 0)', 'if (false)', 'optim/options'],
    ['this.flat.changeValues();', '', 'capturedSteps', 'capturedResults'],
    ["checkValue(this.who, 'lr', value, atLeast(0));", '', 'capturedSteps', 'capturedResults'],
    [
      'Object.assign(this.values, values);\n    this.changed();',
      'Object.assign(this.values, values);',
      'capturedSteps',
      'capturedResults',
    ],
    ['if (whole > 0) return lr / whole;', 'if (whole > 0) return lr;', 'optim/options'],
  ],
  'src/optim/flatParameters.ts': [
    ['if (gone)', 'if (false)', 'optim/options'],
    ['if (!this.places.some(has)) throw', 'if (false) throw', 'capturedSteps'],
    ['if (now === pattern) return;', 'return;', 'capturedSteps', 'capturedResults'],
    [
      "this.values.isDisposed ? 'the optimiser was disposed after the capture' : undefined",
      'undefined',
      'capturedSteps',
      'capturedResults',
    ],
  ],
  'src/gpu/kernel.ts': [['else if (binding.version) gpu.queue.change(binding.version);', '', 'autograd']],
  'src/optim/sgd.ts': [["checkOptions('Sgd', options, checks, ['lr']);", '', 'optim/options']],
  'src/checks/options.ts': [['!Object.hasOwn(checks, name)', '!(name in checks)', 'checks/options']],
};
