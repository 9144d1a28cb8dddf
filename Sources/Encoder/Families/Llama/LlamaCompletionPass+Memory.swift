extension LlamaCompletionPass {
  /// What one layer is computed in, for all rows.
  final class Memory {
    let normalised: LlamaBuffer
    let activated: LlamaBuffer
    let context: LlamaBuffer
    /// The last layer's, of the rows that are needed.
    let lastContext: LlamaBuffer
    let lastStream: Floats
    let lastStates: Floats
    let result: Floats
    let cosines: Floats
    let sines: Floats
    let negatedSines: Floats
    /// The prefix's keys and values in the layer at hand, `[prefix, keys]`.
    let pastKeys: Floats
    let pastValues: Floats

    // Gradients. Those of projections stand twice, for even and odd layers: one is read while the next is written.
    let output: LlamaBuffer
    let middle: LlamaBuffer
    let lastOutput: LlamaBuffer
    let lastMiddleGradient: LlamaBuffer
    let activatedGradient: Floats
    let gateAndUp: LlamaBuffer
    let normalisedGradient: Floats
    let contextGradient: Floats
    let lastContextGradient: Floats
    let projections: [LlamaBuffer]
    let layerInput: LlamaBuffer
    let reducedProjections: Floats
    let reducedOutput: Floats
    let reducedGateAndUp: Floats
    let reducedDown: Floats
    /// Of each text, what the prefix's keys and values get from it.
    let pastGradients: Floats
    /// Of each chunk of rows, the gradients of the two norms.
    let norms: [Floats]

    init(_ pass: LlamaCompletionPass, _ room: CompletionRoom) {
      let (rows, needed, past) = (room.rows, room.needed, room.prefix)
      let configuration = pass.configuration
      let hidden = pass.hidden
      let dtype = pass.parameters.dtype
      let adapters = pass.network.layers[0].adapters
      func buffer(_ width: Int, rows: Int = rows) -> LlamaBuffer {
        LlamaBuffer(rows: rows, width: width, dtype: dtype)
      }
      normalised = buffer(hidden)
      activated = buffer(pass.inner)
      context = buffer(pass.queries)
      lastContext = buffer(pass.queries, rows: needed)
      lastStream = Floats(count: needed * hidden)
      lastStates = Floats(count: needed * hidden)
      result = Floats(count: needed * hidden)
      let half = configuration.headSize / 2
      cosines = Floats(count: rows * half)
      sines = Floats(count: rows * half)
      negatedSines = Floats(count: rows * half)
      pastKeys = Floats(count: past * pass.keys)
      pastValues = Floats(count: past * pass.keys)
      output = buffer(hidden)
      middle = buffer(hidden)
      lastOutput = buffer(hidden, rows: needed)
      lastMiddleGradient = buffer(hidden, rows: needed)
      activatedGradient = Floats(count: rows * pass.inner)
      gateAndUp = buffer(2 * pass.inner)
      normalisedGradient = Floats(count: rows * hidden)
      contextGradient = Floats(count: rows * pass.queries)
      lastContextGradient = Floats(count: needed * pass.queries)
      projections = (0..<2).map { _ in buffer(pass.width) }
      layerInput = buffer(hidden)
      reducedProjections = Floats(count: rows * (adapters?.projections.width ?? 0))
      reducedOutput = Floats(count: rows * (adapters?.output.width ?? 0))
      reducedGateAndUp = Floats(count: rows * (adapters?.gateAndUp.width ?? 0))
      reducedDown = Floats(count: rows * (adapters?.down.width ?? 0))
      pastGradients = Floats(count: room.texts * 2 * past * pass.keys)
      norms = (0..<LlamaCompletionPass.chunks).map { _ in Floats(count: 3 * hidden) }
    }
  }
}
