/** The names of the models in flags and files. A list of its own, so that a program that reads them bundles no model. */
export const MODEL_NAMES = ['smallCnn', 'mlp', 'resnet18', 'resnet34', 'resnet50'] as const;
export type ModelName = (typeof MODEL_NAMES)[number];
