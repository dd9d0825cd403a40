import antfu from '@antfu/eslint-config'

export default antfu({
  vue: true,
  typescript: true,
  formatters: false,
  ignores: ['dist', 'node_modules'],
}, {
  rules: {
    // Text goes into the page as text nodes only: what a customer or the bot wrote is never markup.
    'vue/no-v-html': 'error',
    'no-restricted-properties': ['error', { property: 'innerHTML', message: 'Text nodes only.' }, { property: 'outerHTML', message: 'Text nodes only.' }, { property: 'insertAdjacentHTML', message: 'Text nodes only.' }],
    'ts/explicit-function-return-type': 'off',
    'ts/consistent-type-definitions': ['error', 'interface'],
  },
})
