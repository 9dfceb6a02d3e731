import { matmul } from '../../src/ops/matmul.ts';
import { checkOp, run } from '../harness.ts';

checkOp(
  'matmul',
  ([a, b]) => matmul(a!, b!),
  ([a, b]) => {
    const [m, k] = a!.shape as [number, number];
    const n = b!.shape[1]!;
    const data = new Float64Array(m * n);
    for (let r = 0; r < m; r++)
      for (let c = 0; c < n; c++)
        for (let i = 0; i < k; i++) data[r * n + c]! += a!.data[r * k + i]! * b!.data[i * n + c]!;
    return { shape: [m, n], data };
  },
  {
    shapes: [
      [
        [1, 1],
        [1, 1],
      ],
      [
        [33, 65],
        [65, 31],
      ],
    ],
  },
);

run();
