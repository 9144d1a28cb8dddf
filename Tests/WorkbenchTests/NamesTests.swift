import Basics
import Testing
import Workbench

struct NamesTests {
  @Test(arguments: [
    ("MEDIA & ENTERTAINMENT", "MEDIA_AND_ENTERTAINMENT"), ("Culture  &\tArts", "CULTURE_AND_ARTS"),
    (" sports ", "SPORTS"), ("MONEY_AND_BUSINESS", "MONEY_AND_BUSINESS"), ("straße", "STRASSE"),
    ("E\u{301}tat", "\u{C9}TAT"), ("Unable to classify", "UNABLE_TO_CLASSIFY"), ("", ""),
    ("arts_and_culture", "ARTS_AND_CULTURE"), ("Arts  and_Culture\u{A0}", "ARTS_AND_CULTURE"),
    ("Arts &Culture", "ARTS_AND_CULTURE"), ("Arts& Culture", "ARTS_AND_CULTURE"), ("A_&_B", "A_AND_B"),
    ("H&S", "H&S"), ("M&A", "M&A"), ("R&amp;D", "R&AMP;D"), ("Q&A &c", "Q&A_AND_C"), ("&", "AND"),
    ("_", "_"), ("Sport\u{200B}s\u{FEFF}", "SPORTS"),
  ]) func aNameHasOneKey(_ name: String, _ key: String) {
    #expect(Array(CategoryKey.key(forName: name).utf8) == Array(key.utf8))
    #expect(CategoryKey.key(forName: key) == key)
  }

  @Test func namesThatAreUnlikeHaveKeysThatAreUnlike() {
    let names = [
      "H&S", "Hands", "H and S", "M&A", "Manda", "R&D", "R&amp;D", "Rand D", "C", "C++", "C#", "A/B",
    ]
    #expect(Set(names.map(CategoryKey.key(forName:))).count == names.count)
  }

  @Test(arguments: [
    ("", "abc", 3), ("kitten", "sitting", 3), ("SPROTS", "SPORTS", 1), ("same", "same", 0), ("ca", "abc", 3),
  ]) func editDistances(_ first: String, _ second: String, _ distance: Int) {
    #expect(editDistance(first, second) == distance)
    #expect(editDistance(second, first) == distance)
  }

  @Test func placesReadAsCompilersWriteThem() {
    #expect(Place(file: "a.csv", line: 3, column: 7).description == "a.csv:3:7")
    #expect(Place(file: "a.csv").description == "a.csv")
  }
}
