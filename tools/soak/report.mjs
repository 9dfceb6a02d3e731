// The end of a soak's output: a line per part, and how many parts passed.

/**
 * Returns the lines and the exit code. A part that was skipped is no part that passed: with `strict` it fails, and without a part that
 * passed the exit code is 1.
 *
 * @param outcomes per part its `name`, `minutes`, the `adapter`'s description and a `verdict`: `passed`, `FAILED` or `skipped`, with `more`,
 *   which is the reason or the last line of its tests
 */
export function report(outcomes, strict) {
  const verdicts = outcomes.map((outcome) =>
    strict && outcome.verdict === 'skipped'
      ? { ...outcome, verdict: 'FAILED', more: `skipped, and REQUIRE_GPU=1 allows none: ${outcome.more}` }
      : outcome,
  );
  const lines = verdicts.map(({ name, minutes, adapter, verdict, more }) =>
    [
      name.padEnd(14),
      `${minutes.toFixed(1).padStart(6)} min `,
      [verdict, more].filter(Boolean).join(': '),
      adapter && ` on ${adapter}`,
    ]
      .filter(Boolean)
      .join(' '),
  );
  const [passed, failed, skipped] = ['passed', 'FAILED', 'skipped'].map(
    (wanted) => verdicts.filter(({ verdict }) => verdict === wanted).length,
  );
  const counts = `parts: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
  return { lines: [...lines, counts].map((line) => `soak: ${line}`), exitCode: failed === 0 && passed > 0 ? 0 : 1 };
}
