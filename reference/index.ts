// Everything in double precision. Imports nothing of the library, so it cannot share its errors.

export * from './ba3us.ts';
export * from './cnn.ts';
export * from './compare.ts';
export * from './images.ts';
export * from './jitter.ts';
export * from './losses.ts';
export * from './methods.ts';
export * from './ops.ts';
export * from './optim.ts';
export * from './pada.ts';
export * from './selection.ts';
