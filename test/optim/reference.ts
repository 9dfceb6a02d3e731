/** A parameter in double precision with what PyTorch's optimisers keep of it. */
export interface ReferenceParameter {
  value: Float64Array;
  lrMultiplier: number;
  weightDecay: number;
  step: number;
  state: Record<string, Float64Array>;
}

export const referenceParameter = (value: Float32Array, lrMultiplier = 1, weightDecay = 0): ReferenceParameter => ({
  value: Float64Array.from(value),
  lrMultiplier,
  weightDecay,
  step: 0,
  state: {},
});

/** One step of `torch.optim.SGD`; nothing happens without a gradient. */
export function sgdStep(
  p: ReferenceParameter,
  gradient: Float32Array | null,
  { lr = 0.1, momentum = 0, dampening = 0, nesterov = false },
): void {
  if (!gradient) return;
  p.state.momentum_buffer ??= new Float64Array(p.value.length);
  const buffer = p.state.momentum_buffer;
  gradient.forEach((g, i) => {
    const d = g + p.weightDecay * p.value[i]!;
    buffer[i] = p.step === 0 ? d : momentum * buffer[i]! + (1 - dampening) * d;
    const direction = momentum === 0 ? d : nesterov ? d + momentum * buffer[i]! : buffer[i]!;
    p.value[i]! -= lr * p.lrMultiplier * direction;
  });
  p.step++;
}

/** One step of `torch.optim.Adam` or `AdamW`. */
export function adamStep(
  p: ReferenceParameter,
  gradient: Float32Array | null,
  { lr = 0.001, betas = [0.9, 0.999], eps = 1e-8, amsgrad = false, decoupled = false },
): void {
  if (!gradient) return;
  const [beta1, beta2] = betas as [number, number];
  const zeros = () => new Float64Array(p.value.length);
  p.state = { exp_avg: zeros(), exp_avg_sq: zeros(), max_exp_avg_sq: zeros(), ...p.state };
  const { exp_avg: m, exp_avg_sq: v, max_exp_avg_sq: most } = p.state;
  p.step++;
  const rate = lr * p.lrMultiplier;
  gradient.forEach((g, i) => {
    if (decoupled) p.value[i]! *= 1 - rate * p.weightDecay;
    const d = decoupled ? g : g + p.weightDecay * p.value[i]!;
    m![i] = beta1 * m![i]! + (1 - beta1) * d;
    v![i] = beta2 * v![i]! + (1 - beta2) * d * d;
    most![i] = Math.max(most![i]!, v![i]!);
    const square = amsgrad ? most![i]! : v![i]!;
    p.value[i]! -=
      (rate / (1 - beta1 ** p.step)) * (m![i]! / (Math.sqrt(square) / Math.sqrt(1 - beta2 ** p.step) + eps));
  });
}
