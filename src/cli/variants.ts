import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { version } from '../../package.json';
import type { Float32MatmulPrecision } from '../gemm/precision.ts';
import { type GemmVariants, setGemmVariants } from '../gemm/variants.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { PRECISIONS, type TrainingOptions } from '../train/options.ts';
import { parseVariants } from '../train/variants.ts';
import { makeFolder, writeAtomically } from './atomic.ts';
import { CONFIG } from './config.ts';
import type { Context } from './context.ts';
import { deviceOf } from './device.ts';
import { asUsage, UsageError } from './errors.ts';
import { readNamed } from './files.ts';
import type { Job } from './job.ts';
import type { Terminal } from './terminal.ts';

/** Which variants of matrix products a run is to have: the fastest of this device, what sizes suggest, or given ones. */
export type AskedVariants = 'tuned' | 'default' | GemmVariants;

// By this process: several runs of one command have the same, also where nothing can be kept.
const chosenHere = new WeakMap<Context, GemmVariants>();

/** What `--gemm-variants` asks for. @throws UsageError if it names a file without variants */
export async function askedVariants(text: string): Promise<AskedVariants> {
  if (text === 'tuned' || text === 'default') return text;
  return asUsage(`--gemm-variants ${text}`, async () => {
    const json = await readJson(text);
    // Of a run's config.json, or of a cache, the part that is meant.
    return parseVariants(json?.gemmVariants ?? json);
  });
}

/**
 * The variants to ask a trained model with: unless `--gemm-variants` says otherwise those of the run that it lies with, and so
 * that run's bits. Where no run is told of, those chosen on this device. @throws UsageError if they cannot be read
 */
export async function variantsOfModel(modelFile: string, text: string | undefined): Promise<AskedVariants> {
  if (text !== undefined) return askedVariants(text);
  const config = join(dirname(modelFile), CONFIG);
  if (!existsSync(config)) return 'tuned';
  // Runs begun before there were variants had what the sizes alone suggest.
  const read = async () => parseVariants((await readJson(config))?.gemmVariants ?? {});
  return asUsage(`${config}, beside the model (--gemm-variants default does without)`, read);
}

/** The precision to ask a trained model in: by the same rules, the highest where no run is told of. @throws UsageError */
export async function precisionOfModel(
  modelFile: string,
  asked: Float32MatmulPrecision | undefined,
): Promise<Float32MatmulPrecision> {
  const config = join(dirname(modelFile), CONFIG);
  if (asked !== undefined || !existsSync(config)) return asked ?? 'highest';
  // One that cannot be read was refused for its variants, unless these were asked for otherwise.
  const json = await readJson(config).catch(() => null);
  const { float32MatmulPrecision: found = 'highest' } = json?.options ?? {};
  if (PRECISIONS.includes(found)) return found;
  throw new UsageError(
    `${config}, beside the model: float32MatmulPrecision must be one of ${PRECISIONS.join(', ')} but is ${String(found)} (--float32-matmul-precision comes first)`,
  );
}

async function readJson(
  path: string,
): Promise<{ gemmVariants?: unknown; options?: { float32MatmulPrecision?: Float32MatmulPrecision } } | null> {
  const { bytes } = await readNamed(path);
  return JSON.parse(new TextDecoder().decode(bytes));
}

/** Gives the Gpu variants for a trained model; nothing is measured. */
export function applyUnmeasured(context: Context, terminal: Terminal, gpu: Gpu, asked: AskedVariants): GemmVariants {
  const chosen = asked === 'tuned' ? cachedVariants(context, gpu, terminal) : asked;
  const variants = chosen === 'default' ? {} : chosen;
  setGemmVariants(gpu, variants);
  return variants;
}

/** Gives the Gpu the variants of a job's runs, those of a resumed run from its config. */
export async function applyVariants(
  context: Context,
  terminal: Terminal,
  gpu: Gpu,
  { data, gemmVariants: asked, resume }: Job,
  options: TrainingOptions,
): Promise<GemmVariants> {
  const unmeasured = (known: GemmVariants) => context.tune(gpu, data, options, { known, milliseconds: 0 });
  let variants: GemmVariants;
  if (resume) variants = resume.gemmVariants;
  else if (asked === 'default') variants = await unmeasured({});
  else if (asked !== 'tuned') {
    variants = await unmeasured(asked);
    const unused = Object.keys(asked).filter((of) => !variants[of]);
    if (unused.length > 0)
      terminal.warning(`--gemm-variants names products that this training does not have: ${unused.join(', ')}`);
  } else {
    const known = { ...cachedVariants(context, gpu, terminal), ...chosenHere.get(context) };
    // Where there was nothing to choose from, nobody is told what was chosen.
    let say = (_: string) => {};
    const onMeasure = () => {
      terminal.note('measuring the variants of matrix products, once on this device and for two seconds at most');
      say = (text) => terminal.note(text);
    };
    variants = await context.tune(gpu, data, options, { known, onMeasure });
    chosenHere.set(context, { ...known, ...variants });
    if (Object.keys(variants).some((of) => !known[of])) say(keepVariants(context, gpu, variants));
  }
  setGemmVariants(gpu, variants);
  return variants;
}

/** The file that keeps the variants of this device, driver and version; null where there is no place for one. */
export function cacheFile({ cacheFolder }: Context, gpu: Gpu): string | null {
  if (cacheFolder === null) return null;
  const key = createHash('sha256').update(JSON.stringify([version, deviceOf(gpu)]));
  return join(cacheFolder, `gemm-${key.digest('hex').slice(0, 16)}.json`);
}

/** The variants that were chosen on this device before. What is damaged counts as none, and is said. */
export function cachedVariants(context: Context, gpu: Gpu, terminal: Terminal): GemmVariants {
  const file = cacheFile(context, gpu);
  if (!file || !existsSync(file)) return {};
  try {
    return parseVariants(JSON.parse(readFileSync(file, 'utf8')).gemmVariants);
  } catch (error) {
    terminal.note(`${file} is not used, for it is damaged: ${(error as Error).message}`);
    return {};
  }
}

/** Keeps variants for this user's next trainings; gives what became of that, in words. */
function keepVariants(context: Context, gpu: Gpu, variants: GemmVariants): string {
  const file = cacheFile(context, gpu);
  try {
    if (!file) throw new Error('this user has no folder for such things');
    makeFolder(context.cacheFolder!);
    // What another process has chosen meanwhile stays, as its runs were made with it.
    const all = { ...variants, ...quietly(() => parseVariants(JSON.parse(readFileSync(file, 'utf8')).gemmVariants)) };
    const content = { padagrad: version, device: deviceOf(gpu), gemmVariants: all };
    writeAtomically(file, `${JSON.stringify(content, null, 2)}\n`);
    return `what was chosen is kept in ${file}`;
  } catch (error) {
    return `what was chosen cannot be kept, and each command measures anew: ${(error as Error).message}`;
  }
}

function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Where this user's programs keep what they can make again; null where nothing says so. */
export function cacheFolderOf(
  env: Readonly<Record<string, string | undefined>> = process.env,
  platform: string = process.platform,
  home: () => string = homedir,
): string | null {
  const { PADAGRAD_CACHE_DIR, LOCALAPPDATA, XDG_CACHE_HOME } = env;
  if (PADAGRAD_CACHE_DIR) return PADAGRAD_CACHE_DIR;
  if (platform === 'win32' && LOCALAPPDATA) return join(LOCALAPPDATA, 'padagrad', 'Cache');
  if (platform === 'linux' && XDG_CACHE_HOME && isAbsolute(XDG_CACHE_HOME)) return join(XDG_CACHE_HOME, 'padagrad');
  const own = quietly(home);
  if (!own) return null;
  return platform === 'darwin' ? join(own, 'Library', 'Caches', 'padagrad') : join(own, '.cache', 'padagrad');
}
