/** The form of an exported page: a field for each input of the model. */
import type { FieldSignature, InputSignature } from '../served-model.ts'
import { escaped } from './escaped.ts'

export function formOf(input: InputSignature): string {
  switch (input.kind) {
    case 'row':
      return input.fields.map(fieldOf).join('\n')
    case 'image':
      return `<label id="drop">An image: choose it, drop it here, or paste it
<input type="file" id="file" accept="image/*"></label>
<canvas id="picture" width="${input.width}" height="${input.height}" aria-label="The image"></canvas>`
    case 'text':
      return '<label>Text<textarea id="text" required></textarea></label>'
    default:
      return input satisfies never
  }
}

/** Empty is missing. */
function fieldOf(field: FieldSignature): string {
  const name = escaped(field.name)
  const attributes = `name="${name}" data-type="${field.type}"`
  switch (field.type) {
    case 'number':
      return `<label>${name}<input type="number" step="any" ${attributes}></label>`
    case 'date':
      return `<label>${name}<input type="date" ${attributes}></label>`
    case 'boolean':
      return `<label>${name}<select ${attributes}><option value="">unknown</option><option>true</option><option>false</option></select></label>`
    case 'category': {
      const options = field.levels.map((level) => `<option>${escaped(level)}</option>`)
      return `<label>${name}<select ${attributes}><option value="">unknown</option>${options.join('')}</select></label>`
    }
    default:
      return field satisfies never
  }
}
