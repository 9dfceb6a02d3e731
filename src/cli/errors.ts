import { NotFiniteError } from '../debug/finiteWatch.ts';
import { GpuError } from '../gpu/errors.ts';

/** Exit codes: 0 success, 1 failure, 2 wrong usage, 128 + n if signal n ended the command. */
export const EXIT = { ok: 0, failed: 1, usage: 2, SIGINT: 130, SIGPIPE: 141, SIGTERM: 143 } as const;

/** Thrown if a command cannot do what its flags ask for. The message is one line; the exit code is 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** An error in one line, with a code for programs and the exit code. */
export interface Failure {
  code: string;
  message: string;
  exitCode: number;
}

/** Describes an error: wrong usage, which the user can correct in the command, or a failure while it ran. */
export function describeFailure(error: unknown): Failure {
  const { message, code } = error instanceof Error ? (error as Error & { code?: string }) : { message: String(error) };
  const line = oneLine(message).replace(/^error: /, '');
  if (error instanceof UsageError || code?.startsWith('commander.'))
    return { code: 'USAGE', message: line, exitCode: EXIT.usage };
  if (error instanceof NotFiniteError) {
    const message = line.replace(' detectAnomaly ', ' --detect-anomaly ');
    return { code: 'NOT_FINITE', message, exitCode: EXIT.failed };
  }
  if (error instanceof GpuError) return { code: error.code, message: line, exitCode: EXIT.failed };
  return { code: code ?? 'FAILED', message: line || 'unknown error', exitCode: EXIT.failed };
}

/** Reads a part of the user's input. @throws UsageError with `what` and the message of the error that `read` throws */
export async function asUsage<T>(what: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    throw new UsageError(`${what}: ${(cause as Error).message}`, { cause });
  }
}

/** Joins the lines of a text and writes control characters, such as binary files hold, as `\x00`. */
const oneLine = (text: string): string =>
  text
    .trim()
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\p{Cc}/gu, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`);
