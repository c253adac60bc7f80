/** A version, ready to answer: its files are what was registered, and its answers are what they were then. */
import type { Project } from '../project/project.ts'
import type { Content } from '../store/content.ts'
import { loadTrained, type TrainedModel } from '../training/load-run.ts'
import { answersOf } from './answers.ts'
import { ensembleAnswers } from './ensemble.ts'
import { checkFiles, readVersionFile } from './files.ts'
import { checkGolden, goldenContents } from './golden.ts'
import type { Answer, ServedModel } from './served-model.ts'
import { findVersion, type Version, versionFolder } from './version.ts'

export interface LoadedVersion extends ServedModel {
  readonly info: Version
  readonly temperature: number
  /** Network, features and target, for what looks inside. */
  readonly trained: TrainedModel
}

/**
 * Loads a version by its number or an alias. Every file is checked by its hash, and the golden examples are asked again.
 * @throws {UserError} where there is none, or it is not what was registered: the message says what differs
 */
export async function loadVersion(
  project: Pick<Project, 'store' | 'folder'>,
  reference: number | string,
): Promise<LoadedVersion> {
  const info = await findVersion(project, reference)
  const folder = versionFolder(project, info.number)
  await checkFiles(info.number, folder, info.files, info.run)
  const settings = await readVersionFile(folder, 'settings.json')
  const trained = await loadTrained(project, folder, settings, await readVersionFile(folder, 'features.json'))
  const { temperature } = await readVersionFile(folder, 'calibration.json')
  const { signature } = info
  const predict = async (contents: readonly Content[]): Promise<Answer[]> =>
    answersOf(await trained.predict(contents), signature.output, temperature)
  const golden = await readVersionFile(folder, 'golden.json')
  const scale = settings.target.task === 'number' ? settings.target.scale : 1
  checkGolden(golden, await predict(goldenContents(golden)), signature.output, { version: info.number, scale })
  // Samples share one generator: one request's after the other's.
  let sampling: Promise<unknown> = Promise.resolve()
  const ensemble = (contents: readonly Content[], members: number): Promise<Answer[]> => {
    const answers = sampling.then(async () =>
      ensembleAnswers(await trained.sample(contents, members), signature.output, temperature),
    )
    sampling = answers.catch(() => {})
    return answers
  }
  return {
    version: info.number,
    signature,
    predict,
    embed: (contents) => trained.embed(contents),
    ...(trained.model.hasDropout && { ensemble }),
    info,
    temperature,
    trained,
  }
}
