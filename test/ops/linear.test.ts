import { linear } from '../../src/ops/linear.ts';
import { checkOp, run } from '../harness.ts';

checkOp(
  'linear',
  ([x, w, b]) => linear(x!, w!, b!),
  ([x, w, b]) => {
    const [n, k] = w!.shape as [number, number];
    const m = x!.data.length / k;
    const data = new Float64Array(m * n);
    for (let r = 0; r < m; r++)
      for (let c = 0; c < n; c++) {
        data[r * n + c] = b!.data[c]!;
        for (let i = 0; i < k; i++) data[r * n + c]! += x!.data[r * k + i]! * w!.data[c * k + i]!;
      }
    return { shape: [m, n], data };
  },
  { shapes: [[[33, 64], [31, 64], [31]]] },
);
run();
