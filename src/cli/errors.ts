import { GpuError } from '../gpu/errors.ts';
import { NotFiniteError } from '../train/notFinite.ts';

/** Exit codes: 0 done, 1 failed while running, 2 asked wrongly, 128 + n stopped by signal n. */
export const EXIT = { ok: 0, failed: 1, usage: 2, SIGINT: 130, SIGPIPE: 141, SIGTERM: 143 } as const;

/** What the user asked cannot be done as asked: one line says why, and the exit code is 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** What went wrong, in one line, with a code for programs and the exit code. */
export interface Failure {
  code: string;
  message: string;
  exitCode: number;
}

/** Tells apart what the user can mend in the command from what failed on the way. */
export function describeFailure(error: unknown): Failure {
  const { message, code } =
    error instanceof Error ? (error as Error & { code?: string }) : { message: String(error), code: undefined };
  const line = oneLine(message).replace(/^error: /, '');
  if (error instanceof UsageError || code?.startsWith('commander.'))
    return { code: 'USAGE', message: line, exitCode: EXIT.usage };
  if (error instanceof NotFiniteError) {
    const message = line.replace(' detectAnomaly ', ' --detect-anomaly ');
    return { code: 'NOT_FINITE', message, exitCode: EXIT.failed };
  }
  if (error instanceof GpuError) return { code: error.code, message: line, exitCode: EXIT.failed };
  return { code: code ?? 'FAILED', message: line || 'an error without a message', exitCode: EXIT.failed };
}

/** Runs what reads the user's input: whatever it throws is the input's fault, and `what` says which input. */
export async function asUsage<T>(what: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    throw new UsageError(`${what}: ${(cause as Error).message}`, { cause });
  }
}

/** Control characters, such as parts of a binary file hold, are written as `\x00`. */
const oneLine = (text: string): string =>
  text
    .trim()
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\p{Cc}/gu, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`);
