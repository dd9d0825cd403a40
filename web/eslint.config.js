import antfu from '@antfu/eslint-config'

// Node 20 lacks it, and a helper of antfu's set calls it; this line goes when Node 20 does.
Object.groupBy ??= (items, keyOf) => items.reduce((groups, item, index) => {
  (groups[keyOf(item, index)] ??= []).push(item)
  return groups
}, {})

const textNodesOnly = ['innerHTML', 'outerHTML', 'insertAdjacentHTML']

export default antfu({
  vue: true,
  typescript: true,
  ignores: ['dist'],
}, {
  rules: {
    // What a customer or the bot wrote is never markup.
    'vue/no-v-html': 'error',
    'no-restricted-properties': ['error', ...textNodesOnly.map(property => ({ property, message: 'Text nodes only.' }))],
    // Arguments are described where name and type do not tell.
    'jsdoc/check-param-names': 'off',
    // `toReversed`, `at` and their like are missing in the web views of phones that customers still carry.
    'e18e/prefer-array-at': 'off',
    'e18e/prefer-array-to-reversed': 'off',
    'e18e/prefer-array-to-sorted': 'off',
  },
})
