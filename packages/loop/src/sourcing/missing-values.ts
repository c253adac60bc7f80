/** What stands for no value in a written cell. */
export const missingWords: ReadonlySet<string> = new Set(['', 'NA', 'N/A', 'NaN', 'nan', 'null', 'NULL'])

export const longestMissing = 4

/** 1 for bytes that such a word begins with. */
export const missingFirst = new Uint8Array(256)
for (const word of missingWords) if (word !== '') missingFirst[word.charCodeAt(0)] = 1
