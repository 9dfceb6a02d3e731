// PyTorch's SGD, Adam and AdamW in double precision, one parameter at a time, and TLlib's learning-rate schedule.

/** A parameter with what an optimiser keeps of it. */
export interface ReferenceParameter {
  value: Float64Array;
  lrMultiplier: number;
  weightDecay: number;
  step: number;
  /** By PyTorch's names: momentum_buffer; exp_avg, exp_avg_sq, max_exp_avg_sq. */
  state: Record<string, Float64Array>;
}

export const parameterOf = (value: ArrayLike<number>, lrMultiplier = 1, weightDecay = 0): ReferenceParameter => ({
  value: Float64Array.from(value),
  lrMultiplier,
  weightDecay,
  step: 0,
  state: {},
});

/** One step of `torch.optim.SGD`. A parameter without a gradient is neither updated nor decayed. */
export function sgdStep(
  p: ReferenceParameter,
  gradient: ArrayLike<number> | null,
  { lr = 0.1, momentum = 0, dampening = 0, nesterov = false },
): void {
  if (!gradient) return;
  p.state.momentum_buffer ??= new Float64Array(p.value.length);
  const buffer = p.state.momentum_buffer;
  for (let i = 0; i < gradient.length; i++) {
    const d = gradient[i]! + p.weightDecay * p.value[i]!;
    buffer[i] = p.step === 0 ? d : momentum * buffer[i]! + (1 - dampening) * d;
    const direction = momentum === 0 ? d : nesterov ? d + momentum * buffer[i]! : buffer[i]!;
    p.value[i]! -= lr * p.lrMultiplier * direction;
  }
  p.step++;
}

/** One step of `torch.optim.Adam`, or of `AdamW` with `decoupled`. */
export function adamStep(
  p: ReferenceParameter,
  gradient: ArrayLike<number> | null,
  { lr = 0.001, betas = [0.9, 0.999], eps = 1e-8, amsgrad = false, decoupled = false },
): void {
  if (!gradient) return;
  const [beta1, beta2] = betas as [number, number];
  const zeros = () => new Float64Array(p.value.length);
  p.state = { exp_avg: zeros(), exp_avg_sq: zeros(), max_exp_avg_sq: zeros(), ...p.state };
  const { exp_avg: m, exp_avg_sq: v, max_exp_avg_sq: most } = p.state;
  p.step++;
  const rate = lr * p.lrMultiplier;
  for (let i = 0; i < gradient.length; i++) {
    if (decoupled) p.value[i]! *= 1 - rate * p.weightDecay;
    const d = decoupled ? gradient[i]! : gradient[i]! + p.weightDecay * p.value[i]!;
    m![i] = beta1 * m![i]! + (1 - beta1) * d;
    v![i] = beta2 * v![i]! + (1 - beta2) * d * d;
    most![i] = Math.max(most![i]!, v![i]!);
    const square = amsgrad ? most![i]! : v![i]!;
    p.value[i]! -=
      (rate / (1 - beta1 ** p.step)) * (m![i]! / (Math.sqrt(square) / Math.sqrt(1 - beta2 ** p.step) + eps));
  }
}

/** lr (1 + gamma iteration)^-decay */
export const inverseDecay = (iteration: number, { lr = 0.01, gamma = 0.001, decay = 0.75 } = {}): number =>
  lr * (1 + gamma * iteration) ** -decay;

/** The coefficient of the gradient reversal: 2 (hi - lo) / (1 + exp(-alpha i / N)) - (hi - lo) + lo */
export const reversalCoefficient = (i: number, { alpha = 1, lo = 0, hi = 1, maxIters = 1000 } = {}): number =>
  (2 * (hi - lo)) / (1 + Math.exp((-alpha * i) / maxIters)) - (hi - lo) + lo;
