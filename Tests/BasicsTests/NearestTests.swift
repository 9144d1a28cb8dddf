import Basics
import Testing

@Suite("The nearest word")
struct NearestTests {
  let verbs = ["load", "interface", "classify", "predict", "label", "kpi", "finetune", "validate", "models"]

  @Test(
    "finds what was meant",
    arguments: [
      ("predcit", "predict"), ("lod", "load"), ("clasify", "classify"), ("PREDICT", "predict"),
      ("fine-tune", "finetune"), ("kip", "kpi"), ("valid", "validate"), ("model", "models"),
    ])
  func near(typed: String, meant: String) {
    #expect(nearest(typed, among: verbs) == meant)
  }

  @Test("says nothing where nothing is near", arguments: ["xyzzy", "", "q", "zz", "Ferry"])
  func far(typed: String) {
    #expect(nearest(typed, among: verbs) == nil)
  }
}
