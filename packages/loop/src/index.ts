/** The loop: the life of a model in one folder. */
export { UserError } from './errors.ts'
export {
  addLabeler,
  appendLabel,
  type LabelValue,
  type PresentLabel,
  presentLabels,
  retractLabel,
} from './labeling/events.ts'
export { type Progress, StoppedError, type Work } from './progress.ts'
export { type Config, defineConfig, type Kind, type Rule, type RuleInput } from './project/config.ts'
export { initProject, openProject, type Project } from './project/project.ts'
export type { Cell, Content } from './store/content.ts'
export { type Example, findExample, readExample, readExamples } from './store/examples.ts'
export type { Store } from './store/store.ts'
export { diffSnapshots, type LabelChange, type SnapshotDiff } from './versioning/diff.ts'
export {
  findSnapshot,
  listSnapshots,
  makeSnapshot,
  readSnapshot,
  type Snapshot,
  type SnapshotEntry,
} from './versioning/snapshot.ts'
export type { Split } from './versioning/split.ts'
