/** Learning-rate schedules: `optim.lrScheduler`. */
export { CosineAnnealingLR, CosineAnnealingWarmRestarts, type WarmRestartsOptions } from './cosine.ts'
export { CyclicLR, type CyclicOptions, OneCycleLR, type OneCycleOptions } from './cyclic.ts'
export {
  ConstantLR,
  ExponentialLR,
  LambdaLR,
  LinearLR,
  type LinearOptions,
  MultiStepLR,
  PolynomialLR,
  StepLR,
} from './factors.ts'
export { type PlateauOptions, ReduceLROnPlateau } from './plateau.ts'
export { LRScheduler, type Schedulable, type ScheduledGroup, type SchedulerState } from './scheduler.ts'
export { SequentialLR, WarmUpLR } from './sequential.ts'
