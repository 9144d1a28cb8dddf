// Placeholder of the skeleton; goes when the folder's first file comes.
