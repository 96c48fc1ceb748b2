"""What ``esl doctor`` looks at, each part by really trying it."""
